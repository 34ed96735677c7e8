import { invalid } from "../field-error.ts";
import { copyJson, equalJson, type JsonDraft } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { coerceEmbedded, EmbeddedResourceError, validateEmbedded } from "./embedded-resource.ts";
import { hasDefault, itemsOf, type JsonSchema, resourceFields } from "./json-schema.ts";
import { pruneUnknown } from "./prune-unknown.ts";
import { schemaValidator } from "./schema-validator.ts";

/** Makes of a value the resource that it stands in. */
type Surround = (value: unknown) => JsonDraft;

const asRoot: Surround = (value) => {
  const root = (value ?? {}) as JsonDraft;
  root["kind"] ??= "Validation";
  root["apiVersion"] ??= "validation/v1";
  return root;
};

/** The defaults of a structural schema that are no values of it, or have fields that it does not know. */
export function defaultErrors(
  schema: JsonSchema,
  path: string,
  requirePruned: boolean,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const walk = new DefaultWalk(requirePruned, errors);
  walk.check(schema, path, schema, asRoot, false, true);
  return errors;
}

class DefaultWalk {
  private readonly requirePruned: boolean;
  private readonly errors: FieldError[];

  constructor(requirePruned: boolean, errors: FieldError[]) {
    this.requirePruned = requirePruned;
    this.errors = errors;
  }

  /** `root` is the schema of the resource that this one stands in; `insideMeta`: in its metadata, kind or apiVersion. */
  check(
    schema: JsonSchema,
    path: string,
    root: JsonSchema,
    surround: Surround,
    insideMeta: boolean,
    isRoot: boolean,
  ): void {
    const isResource = isRoot || schema["x-kubernetes-embedded-resource"] === true;
    const [ownRoot, around, inMeta] = isResource
      ? [schema, asRoot, false]
      : [root, surround, insideMeta];
    if (hasDefault(schema)) {
      if (inMeta) this.checkMeta(schema, `${path}.default`, ownRoot, around);
      else this.checkValue(schema, `${path}.default`, isResource);
    }
    // No default may stand inside additionalProperties of metadata; elsewhere it is a value like any other.
    const items = itemsOf(schema);
    if (items !== undefined) {
      const inside: Surround = (value) => around([value]);
      this.check(items, `${path}.items`, ownRoot, inside, inMeta, false);
    }
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      const inside: Surround = (value) => around({ [key]: value });
      const entersMeta = isResource && resourceFields.has(key);
      const at = `${path}.properties[${key}]`;
      this.check(property, at, ownRoot, inside, inMeta || entersMeta, false);
    }
  }

  private checkMeta(schema: JsonSchema, path: string, root: JsonSchema, around: Surround): void {
    const value = schema.default;
    const resource = around(copyJson(value));
    try {
      coerceEmbedded(resource, root, { isResource: true, malformed: "refused" });
    } catch (caught) {
      if (!(caught instanceof EmbeddedResourceError)) throw caught;
      const why = printError(caught.fieldError);
      this.errors.push(invalid(path, value, `must result in valid metadata: ${why}`));
      return;
    }
    const problems = validateEmbedded(resource, root, true);
    if (problems.length > 0) {
      const lines = problems.map(printError);
      const why = lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`;
      this.errors.push(invalid(path, value, `must result in valid metadata: ${why}`));
      return;
    }
    this.errors.push(...schemaValidator(schema).validate(value, path));
  }

  private checkValue(schema: JsonSchema, path: string, isResource: boolean): void {
    const value = schema.default;
    if (this.requirePruned) {
      const pruned = copyJson(value);
      pruneUnknown(pruned, schema, isResource);
      if (!equalJson(pruned, value)) {
        this.errors.push(invalid(path, value, "must not have unknown fields"));
      }
    }
    try {
      coerceEmbedded(copyJson(value), schema, { isResource, malformed: "refused", path });
    } catch (caught) {
      if (!(caught instanceof EmbeddedResourceError)) throw caught;
      this.errors.push(caught.fieldError);
      return;
    }
    const problems = validateEmbedded(value, schema, isResource, path);
    if (problems.length > 0) this.errors.push(...problems);
    else this.errors.push(...schemaValidator(schema).validate(value, path));
  }
}

function printError({ path, type, value, detail }: FieldError): string {
  return `${path}: ${type}: ${JSON.stringify(value)}: ${detail}`;
}
