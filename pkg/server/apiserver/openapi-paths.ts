import { openApiReference } from "../../api/openapi-schema.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import { type ApiSurface, rootPathOf, subresourcesOf } from "./discovery.ts";
import { jsonType, protobufType, yamlType } from "./negotiation.ts";

type Json = Readonly<Record<string, unknown>>;

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** Definitions that operations speak of, though no kind refers to them. */
export const operationDefinitions: readonly string[] = [
  `${meta}.Status`,
  `${meta}.DeleteOptions`,
  `${meta}.WatchEvent`,
  `${meta}.Patch`,
];

/** The name under which a kind stands in OpenAPI. */
export function definitionNameOf(what: GroupVersionKind): string {
  const first = what.group === "" ? "core" : (what.group.split(".")[0] ?? "");
  if (first === "apiextensions") {
    return `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${what.version}.${what.kind}`;
  }
  if (first === "apiregistration") {
    return `io.k8s.kube-aggregator.pkg.apis.apiregistration.${what.version}.${what.kind}`;
  }
  return `io.k8s.api.${first}.${what.version}.${what.kind}`;
}

/** All paths of one resource and its subresources, with their operations. */
export function openApiPaths(
  surface: ApiSurface,
  resource: ResourceDefinition,
  version: 2 | 3,
): Readonly<Record<string, Json>> {
  return new PathWriter(resource, version).paths(surface);
}

interface Operation {
  readonly action: string;
  readonly id: string;
  readonly target: GroupVersionKind;
  readonly parameters: readonly Json[];
  readonly body?: { readonly definition: string; readonly types: readonly string[] };
  readonly answer: string;
  readonly codes: readonly number[];
  readonly summary: string;
}

const objectTypes = [jsonType, yamlType, protobufType];
const listTypes = [...objectTypes, `${jsonType};stream=watch`, `${protobufType};stream=watch`];
const customTypes = [jsonType, yamlType];
/** In these any kind is patched. */
const customPatchTypes = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
];
const patchTypes = [...customPatchTypes, "application/strategic-merge-patch+json"];

const phrases: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };

class PathWriter {
  private readonly resource: ResourceDefinition;
  private readonly version: 2 | 3;

  constructor(resource: ResourceDefinition, version: 2 | 3) {
    this.resource = resource;
    this.version = version;
  }

  paths(surface: ApiSurface): Record<string, Json> {
    const { resource } = this;
    const root = rootPathOf(resource);
    const isNamespaced = resource.scope === "namespace";
    const within = isNamespaced ? `${root}/namespaces/{namespace}` : root;
    const collection = `${within}/${resource.plural}`;
    const item = `${collection}/{name}`;
    const paths: Record<string, Json> = {};
    this.add(paths, collection, this.collectionOperations());
    if (isNamespaced && resource.verbs.includes("list")) {
      this.add(paths, `${root}/${resource.plural}`, { get: this.listOperation(true) });
    }
    this.add(paths, item, this.itemOperations());
    for (const sub of subresourcesOf(surface, resource)) {
      const path = `${item}/${sub.name}`;
      this.add(paths, path, this.subresourceOperations(sub.name, sub, sub.verbs));
    }
    return paths;
  }

  private add(
    paths: Record<string, Json>,
    path: string,
    operations: Readonly<Record<string, Operation>>,
  ): void {
    if (Object.keys(operations).length === 0) return;
    const written = Object.entries(operations).map(([method, operation]) => [
      method,
      this.operation(operation),
    ]);
    paths[path] = { ...Object.fromEntries(written), parameters: this.pathParameters(path) };
  }

  private pathParameters(path: string): readonly Json[] {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
    return [
      ...names.map((name) => ({
        name,
        in: "path",
        required: true,
        description:
          name === "name" ? `name of the ${this.resource.kind}` : "the namespace of the object",
        ...this.parameterType("string"),
      })),
      this.query("pretty", "string", "If 'true', the answer is printed for people."),
    ];
  }

  private collectionOperations(): Record<string, Operation> {
    const { verbs } = this.resource;
    return {
      ...(verbs.includes("list") ? { get: this.listOperation(false) } : {}),
      ...(verbs.includes("create")
        ? {
            post: {
              action: "post",
              id: this.operationId("create", ""),
              target: this.resource,
              parameters: this.writeParameters(),
              body: { definition: this.own(), types: ["*/*"] },
              answer: this.own(),
              codes: [200, 201, 202],
              summary: `create ${this.article()}`,
            },
          }
        : {}),
      ...(verbs.includes("deletecollection")
        ? {
            delete: {
              action: "deletecollection",
              id: this.operationId("delete", "", "Collection"),
              target: this.resource,
              parameters: [...this.listParameters(), ...this.deleteParameters()],
              body: { definition: `${meta}.DeleteOptions`, types: ["*/*"] },
              answer: `${meta}.Status`,
              codes: [200],
              summary: `delete collection of ${this.resource.kind}`,
            },
          }
        : {}),
    };
  }

  private listOperation(everywhere: boolean): Operation {
    const { kind } = this.resource;
    return {
      action: "list",
      id: everywhere
        ? `list${this.groupVersion()}${kind}ForAllNamespaces`
        : this.operationId("list", ""),
      target: this.resource,
      parameters: this.listParameters(),
      answer: `${this.own()}List`,
      codes: [200],
      summary: `list or watch objects of kind ${kind}`,
    };
  }

  private itemOperations(): Record<string, Operation> {
    const { verbs } = this.resource;
    const all = this.objectOperations("", this.resource, verbs);
    if (!verbs.includes("delete")) return all;
    return {
      ...all,
      delete: {
        action: "delete",
        id: this.operationId("delete", ""),
        target: this.resource,
        parameters: this.deleteParameters(),
        body: { definition: `${meta}.DeleteOptions`, types: ["*/*"] },
        answer: `${meta}.Status`,
        codes: [200, 202],
        summary: `delete ${this.article()}`,
      },
    };
  }

  private subresourceOperations(
    name: string,
    target: GroupVersionKind,
    verbs: readonly string[],
  ): Record<string, Operation> {
    const operations = this.objectOperations(name, target, verbs);
    if (!verbs.includes("create")) return operations;
    const definition = this.definitionOf(target);
    return {
      ...operations,
      post: {
        action: "post",
        id: this.operationId("create", name),
        target,
        parameters: this.writeParameters(),
        body: { definition, types: ["*/*"] },
        answer: definition,
        codes: [200, 201, 202],
        summary: `create ${name} of ${this.article()}`,
      },
    };
  }

  private objectOperations(
    subresource: string,
    target: GroupVersionKind,
    verbs: readonly string[],
  ): Record<string, Operation> {
    const definition = this.definitionOf(target);
    const what = subresource === "" ? "the specified" : `${subresource} of the specified`;
    const common = { target, answer: definition };
    return {
      ...(verbs.includes("get")
        ? {
            get: {
              ...common,
              action: "get",
              id: this.operationId("read", subresource),
              parameters: [],
              codes: [200],
              summary: `read ${what} ${this.resource.kind}`,
            },
          }
        : {}),
      ...(verbs.includes("update")
        ? {
            put: {
              ...common,
              action: "put",
              id: this.operationId("replace", subresource),
              parameters: this.writeParameters(),
              body: { definition, types: ["*/*"] },
              codes: [200, 201],
              summary: `replace ${what} ${this.resource.kind}`,
            },
          }
        : {}),
      ...(verbs.includes("patch")
        ? {
            patch: {
              ...common,
              action: "patch",
              id: this.operationId("patch", subresource),
              parameters: [
                ...this.writeParameters(),
                this.query(
                  "force",
                  "boolean",
                  "Take fields that another manager owns (apply only).",
                ),
              ],
              body: {
                definition: `${meta}.Patch`,
                types: this.isCustom() ? customPatchTypes : patchTypes,
              },
              codes: [200, 201],
              summary: `partially update ${what} ${this.resource.kind}`,
            },
          }
        : {}),
    };
  }

  private operation(operation: Operation): Json {
    const { group, version, kind } = operation.target;
    const types = this.answerTypes(operation.action);
    const common = {
      tags: [this.tag()],
      description: operation.summary,
      operationId: operation.id,
      "x-kubernetes-action": operation.action,
      "x-kubernetes-group-version-kind": { group, version, kind },
    };
    const reference = openApiReference(operation.answer, this.version);
    if (this.version === 2) {
      const { body } = operation;
      return {
        ...common,
        consumes: body === undefined ? ["*/*"] : body.types,
        produces: types,
        schemes: ["https"],
        parameters: [...this.bodyParameter(body), ...operation.parameters],
        responses: this.responses(operation.codes, { schema: reference }),
      };
    }
    const content = Object.fromEntries(types.map((type) => [type, { schema: reference }]));
    return {
      ...common,
      ...(operation.parameters.length === 0 ? {} : { parameters: operation.parameters }),
      ...this.requestBody(operation.body),
      responses: this.responses(operation.codes, { content }),
    };
  }

  private isCustom(): boolean {
    return this.resource.schema.object.structural !== undefined;
  }

  private answerTypes(action: string): readonly string[] {
    if (this.isCustom()) return customTypes;
    return action === "list" ? listTypes : objectTypes;
  }

  private responses(codes: readonly number[], what: Json): Json {
    return Object.fromEntries([
      ...codes.map((code) => [code, { description: phrases[code] ?? "", ...what }]),
      [401, { description: "Unauthorized" }],
    ]);
  }

  private bodyParameter(body: Operation["body"]): readonly Json[] {
    if (body === undefined) return [];
    const isOptional = body.definition === `${meta}.DeleteOptions`;
    return [
      {
        name: "body",
        in: "body",
        ...(isOptional ? {} : { required: true }),
        schema: openApiReference(body.definition, this.version),
      },
    ];
  }

  private requestBody(body: Operation["body"]): Json {
    if (body === undefined) return {};
    const schema = openApiReference(body.definition, this.version);
    const isOptional = body.definition === `${meta}.DeleteOptions`;
    return {
      requestBody: {
        content: Object.fromEntries(body.types.map((type) => [type, { schema }])),
        ...(isOptional ? {} : { required: true }),
      },
    };
  }

  private listParameters(): readonly Json[] {
    return [
      this.query("allowWatchBookmarks", "boolean", "Ask for events of type BOOKMARK."),
      this.query("continue", "string", "Where the previous page of the list ended."),
      this.query("fieldSelector", "string", "Only objects whose fields are like this."),
      this.query("labelSelector", "string", "Only objects whose labels are like this."),
      this.query("limit", "integer", "At most so many objects in one answer."),
      this.query("resourceVersion", "string", "From which state of the cluster."),
      this.query("resourceVersionMatch", "string", "How resourceVersion is meant."),
      this.query("sendInitialEvents", "boolean", "Begin the watch with all objects there are."),
      this.query("timeoutSeconds", "integer", "End the answer after this time."),
      this.query("watch", "boolean", "Send changes as they come."),
    ];
  }

  private writeParameters(): readonly Json[] {
    return [
      this.query("dryRun", "string", "'All': go through all stages, but keep nothing."),
      this.query("fieldManager", "string", "Who owns the fields that are written."),
      this.query(
        "fieldValidation",
        "string",
        "Ignore, Warn or Strict: unknown and doubled fields.",
      ),
    ];
  }

  private deleteParameters(): readonly Json[] {
    return [
      this.query("dryRun", "string", "'All': go through all stages, but keep nothing."),
      this.query("gracePeriodSeconds", "integer", "How long the object may take to end."),
      this.query("orphanDependents", "boolean", "Use propagationPolicy instead."),
      this.query("propagationPolicy", "string", "Orphan, Background or Foreground."),
    ];
  }

  private query(name: string, type: string, description: string): Json {
    return { name, in: "query", description, ...this.parameterType(type) };
  }

  private parameterType(type: string): Json {
    const typed = { type, uniqueItems: true };
    return this.version === 2 ? typed : { schema: typed };
  }

  private own(): string {
    return this.resource.schema.name;
  }

  private definitionOf(target: GroupVersionKind): string {
    const { group, version, kind } = this.resource;
    const isOwn = target.group === group && target.version === version && target.kind === kind;
    return isOwn ? this.own() : definitionNameOf(target);
  }

  private article(): string {
    return `${/^[AEIOU]/.test(this.resource.kind) ? "an" : "a"} ${this.resource.kind}`;
  }

  private tag(): string {
    const { group, version } = this.resource;
    return `${group === "" ? "core" : group.replace(/\.k8s\.io$/, "").replaceAll(".", "_")}_${version}`;
  }

  private groupVersion(): string {
    const words = this.tag().split(/[_-]/);
    return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("");
  }

  private operationId(verb: string, subresource: string, infix = ""): string {
    const { scope, kind } = this.resource;
    const suffix = subresource.slice(0, 1).toUpperCase() + subresource.slice(1);
    return `${verb}${this.groupVersion()}${infix}${scope === "namespace" ? "Namespaced" : ""}${kind}${suffix}`;
  }
}
