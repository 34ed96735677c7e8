import { isJsonDraft, isJsonList, type JsonDraft } from "../patch/json-value.ts";
import { itemsOf, type JsonSchema, propertyOf, resourceFields, valuesOf } from "./json-schema.ts";

/** Where something stands: a step, and where that was taken. */
export interface FieldPlace {
  readonly within: FieldPlace | undefined;
  readonly step: string | number;
}

type Path = FieldPlace | undefined;

/**
 * Takes out of `object`, in place, every field that the schema does not name, as it tells by their paths
 * (`spec.list[0].field`). apiVersion, kind and metadata are a resource's own and stay; `isResource` says that
 * `object` itself is one.
 */
export function pruneUnknown(
  object: unknown,
  schema: JsonSchema | undefined,
  isResource: boolean,
  report?: (path: string) => void,
): void {
  new Pruner(report).prune(object, schema, isResource, undefined);
}

class Pruner {
  private readonly report: ((path: string) => void) | undefined;

  constructor(report: ((path: string) => void) | undefined) {
    this.report = report;
  }

  /** `isResource` undefined: as the schema says. */
  prune(
    value: unknown,
    schema: JsonSchema | undefined,
    isResource: boolean | undefined,
    path: Path,
  ): void {
    if (schema?.["x-kubernetes-preserve-unknown-fields"] === true) {
      this.keepUnknown(value, schema, isResource, path);
    } else if (isJsonList(value)) {
      const items = schema === undefined ? undefined : itemsOf(schema);
      value.forEach((item, index) => {
        this.prune(item, items, undefined, this.inside(path, index));
      });
    } else if (isJsonDraft(value)) {
      this.pruneFields(value, schema, isResource, path);
    }
  }

  private pruneFields(
    object: JsonDraft,
    schema: JsonSchema | undefined,
    isResource: boolean | undefined,
    path: Path,
  ): void {
    const isEmbedded = isResource === true || schema?.["x-kubernetes-embedded-resource"] === true;
    for (const key of Object.keys(object)) {
      if (isEmbedded && resourceFields.has(key)) continue;
      const property = schema === undefined ? undefined : propertyOf(schema, key);
      if (property !== undefined) {
        this.prune(object[key], property, undefined, this.inside(path, key));
      } else if (schema?.additionalProperties !== undefined) {
        this.prune(object[key], valuesOf(schema), undefined, this.inside(path, key));
      } else {
        if (this.report !== undefined && (path !== undefined || !resourceFields.has(key))) {
          this.report(printPlace({ within: path, step: key }));
        }
        delete object[key];
      }
    }
  }

  /** Unknown fields stay here; below what the schema names, pruning begins anew. */
  private keepUnknown(
    value: unknown,
    schema: JsonSchema | undefined,
    isResource: boolean | undefined,
    path: Path,
  ): void {
    if (schema === undefined) return;
    if (isJsonList(value)) {
      const items = itemsOf(schema);
      value.forEach((item, index) => {
        this.keepUnknown(item, items, undefined, this.inside(path, index));
      });
      return;
    }
    if (!isJsonDraft(value)) return;
    const isEmbedded = isResource === true || schema["x-kubernetes-embedded-resource"] === true;
    for (const key of Object.keys(value)) {
      if (isEmbedded && resourceFields.has(key)) continue;
      const property = propertyOf(schema, key);
      if (property !== undefined) {
        this.prune(value[key], property, undefined, this.inside(path, key));
      } else if (schema.additionalProperties !== undefined) {
        this.prune(value[key], valuesOf(schema), undefined, this.inside(path, key));
      }
    }
  }

  /** Nobody asks for paths on the way of most objects: they are made only for a report. */
  private inside(path: Path, step: string | number): Path {
    return this.report === undefined ? undefined : { within: path, step };
  }
}

/** As in `spec.containers[0].name`. */
export function printPlace(place: FieldPlace): string {
  const steps: (string | number)[] = [];
  for (let at: Path = place; at !== undefined; at = at.within) steps.push(at.step);
  let text = "";
  for (const step of steps.reverse()) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}
