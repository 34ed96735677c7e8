import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { customOpenApi } from "../../api/custom/open-api.ts";
import { kubernetesDefinitions, kubernetesObjectSchema } from "../../api/kubernetes-schema.ts";
import {
  type Describe,
  type OpenApiForm,
  openApiDefinition,
  openApiScalarDefinition,
} from "../../api/openapi-schema.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import type { ObjectSchema } from "../../api/schema.ts";
import {
  type ApiSurface,
  groupsOf,
  resourcesOf,
  rootPathOf,
  subresourcesOf,
  versionsOf,
} from "./discovery.ts";
import { notAcceptable, parseAccept } from "./negotiation.ts";
import { definitionNameOf, openApiPaths, operationDefinitions } from "./openapi-paths.ts";
import {
  openApiV2Definitions,
  openApiV2Document,
  openApiV2Head,
  openApiV2Paths,
  openApiV2ProtobufType,
  openApiV2ProtobufWish,
} from "./openapi-v2-protobuf.ts";
import {
  openApiV3Definitions,
  openApiV3Document,
  openApiV3Paths,
  openApiV3ProtobufType,
  openApiV3ProtobufWish,
} from "./openapi-v3-protobuf.ts";

export interface OpenApiDeps {
  surface(): ApiSurface;
  /** As `/version` has it, e.g. `v1.36.4+mini8s1`. */
  readonly gitVersion: string;
  /** Asked for when the first document is made. */
  readonly describe?: (() => Promise<Describe>) | undefined;
}

export type OpenApiAnswer =
  | {
      readonly type: "document";
      readonly contentType: string;
      readonly body: Uint8Array;
      readonly etag: string;
      /** The address carries the hash of its document, which therefore never changes. */
      readonly immutable: boolean;
    }
  | { readonly type: "moved"; readonly location: string };

export interface OpenApi {
  /**
   * The answer for a path below `/openapi`; undefined where nothing is there. `hash` is the query parameter, `accept`
   * the header: documents are to be had as JSON and as protobuf, and NotAcceptable as anything else.
   */
  answer(
    path: string,
    hash: string | null,
    accept?: string | null,
  ): Promise<OpenApiAnswer | undefined>;
}

/**
 * OpenAPI v3 by group and version, and v2 in one piece. Documents are made when first asked for, a part in each turn of
 * the event loop, and kept as bytes until another surface is served.
 */
export function createOpenApi(deps: OpenApiDeps): OpenApi {
  let documents: Documents | undefined;
  return {
    async answer(path, hash, accept) {
      const surface = deps.surface();
      if (documents?.surface !== surface) documents = new Documents(deps, surface);
      return await documents.answer(path, hash, accept);
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

const noDescriptions: Describe = () => undefined;

class Documents {
  readonly surface: ApiSurface;
  private readonly deps: OpenApiDeps;
  private readonly made = new Map<string, Promise<OpenApiAnswer>>();
  private describe: Promise<Describe> | undefined;

  constructor(deps: OpenApiDeps, surface: ApiSurface) {
    this.deps = deps;
    this.surface = surface;
  }

  async answer(
    path: string,
    hash: string | null,
    accept: string | null | undefined,
  ): Promise<OpenApiAnswer | undefined> {
    if (path === "/openapi/v2") {
      return formIn(accept, [openApiV2ProtobufType, openApiV2ProtobufWish]) === "protobuf"
        ? await this.once(`${path} as protobuf`, () => this.version2AsProtobuf())
        : await this.once(path, () => this.version2());
    }
    if (path === "/openapi/v3") return await this.once(path, () => this.index());
    const root = path.slice("/openapi/v3".length);
    const place = path.startsWith("/openapi/v3/") ? this.placeOf(root) : undefined;
    if (place === undefined) return undefined;
    const current = this.hashOf(place);
    if (hash !== null && hash !== current) {
      return { type: "moved", location: `${path}?hash=${current}` };
    }
    const form = formIn(accept, [openApiV3ProtobufType, openApiV3ProtobufWish]);
    const answer = await this.once(`${path} as ${form}`, () =>
      form === "protobuf" ? this.version3AsProtobuf(place) : this.version3(place),
    );
    return answer.type === "document" ? { ...answer, immutable: hash !== null } : answer;
  }

  private once(path: string, make: () => Promise<OpenApiAnswer>): Promise<OpenApiAnswer> {
    const known = this.made.get(path);
    if (known !== undefined) return known;
    const making = make();
    this.made.set(path, making);
    making.catch(() => this.made.delete(path));
    return making;
  }

  private places(): readonly Place[] {
    return groupsOf(this.surface).flatMap((group) =>
      versionsOf(this.surface, group).map((version) => ({ group, version })),
    );
  }

  private placeOf(root: string): Place | undefined {
    return this.places().find((place) => rootPathOf(place) === root);
  }

  /** Documents differ only where this does: what they are made of, not what they say. */
  private hashOf(place: Place): string {
    const hash = createHash("sha512").update(this.deps.gitVersion);
    hash.update(this.deps.describe === undefined ? "plain" : "described");
    for (const resource of resourcesOf(this.surface, place.group, place.version)) {
      hash.update(JSON.stringify([resource.plural, resource.kind, resource.verbs]));
      hash.update(JSON.stringify(subresourcesOf(this.surface, resource)));
      if (!isBuiltIn(resource.schema.name)) {
        hash.update(JSON.stringify(customDefinition(resource, noDescriptions)));
      }
    }
    return hash.digest("hex").toUpperCase();
  }

  private async index(): Promise<OpenApiAnswer> {
    await nextTurn();
    const paths = this.places().map((place) => {
      const root = rootPathOf(place);
      const serverRelativeURL = `/openapi/v3${root}?hash=${this.hashOf(place)}`;
      return [root.slice(1), { serverRelativeURL }];
    });
    return documentOf([JSON.stringify({ paths: Object.fromEntries(paths) })]);
  }

  private async version3(place: Place): Promise<OpenApiAnswer> {
    const form: OpenApiForm = { version: 3, describe: await this.descriptions() };
    const resources = resourcesOf(this.surface, place.group, place.version);
    const definitions = new Definitions(form, this.surface);
    const paths = await this.pathsOf(resources, definitions, 3);
    const info = JSON.stringify(this.info());
    const security = JSON.stringify({ BearerToken: bearerToken });
    return documentOf([
      `{"openapi":"3.0.0","info":${info},"paths":${paths},"components":{"schemas":`,
      await definitions.text(),
      `,"securitySchemes":${security}}}`,
    ]);
  }

  private async version2(): Promise<OpenApiAnswer> {
    const form: OpenApiForm = { version: 2, describe: await this.descriptions() };
    const definitions = new Definitions(form, this.surface);
    const resources = this.places().flatMap((place) =>
      resourcesOf(this.surface, place.group, place.version),
    );
    const paths = await this.pathsOf(resources, definitions, 2);
    const info = JSON.stringify(this.info());
    const security = JSON.stringify({ BearerToken: bearerToken });
    return documentOf([
      `{"swagger":"2.0","info":${info},"paths":${paths},"definitions":`,
      await definitions.text(),
      `,"securityDefinitions":${security},"security":[{"BearerToken":[]}]}`,
    ]);
  }

  private async version3AsProtobuf(place: Place): Promise<OpenApiAnswer> {
    const form: OpenApiForm = { version: 3, describe: await this.descriptions() };
    const definitions = new Definitions(form, this.surface);
    const paths: Uint8Array[] = [];
    for (const resource of resourcesOf(this.surface, place.group, place.version)) {
      await nextTurn();
      definitions.needResource(resource);
      paths.push(openApiV3Paths(openApiPaths(this.surface, resource, 3)));
    }
    const parts: Uint8Array[] = [];
    for await (const some of definitions.parts()) parts.push(openApiV3Definitions(some));
    const body = openApiV3Document(this.info(), paths, parts, { BearerToken: bearerToken });
    return documentOf([body], openApiV3ProtobufType);
  }

  private async version2AsProtobuf(): Promise<OpenApiAnswer> {
    const form: OpenApiForm = { version: 2, describe: await this.descriptions() };
    const definitions = new Definitions(form, this.surface);
    const paths: Uint8Array[] = [];
    for (const place of this.places()) {
      for (const resource of resourcesOf(this.surface, place.group, place.version)) {
        await nextTurn();
        definitions.needResource(resource);
        paths.push(openApiV2Paths(openApiPaths(this.surface, resource, 2)));
      }
    }
    const parts: Uint8Array[] = [];
    for await (const some of definitions.parts()) parts.push(openApiV2Definitions(some));
    const body = openApiV2Document(openApiV2Head(this.info()), paths, parts);
    return documentOf([body], openApiV2ProtobufType);
  }

  private async pathsOf(
    resources: readonly ResourceDefinition[],
    definitions: Definitions,
    version: 2 | 3,
  ): Promise<string> {
    const parts: string[] = [];
    for (const resource of resources) {
      await nextTurn();
      definitions.needResource(resource);
      const paths = openApiPaths(this.surface, resource, version);
      parts.push(JSON.stringify(paths).slice(1, -1));
    }
    return `{${parts.join(",")}}`;
  }

  private info(): Json {
    return { title: "Kubernetes", version: this.deps.gitVersion };
  }

  private descriptions(): Promise<Describe> {
    this.describe ??= this.deps.describe?.() ?? Promise.resolve(noDescriptions);
    return this.describe;
  }
}

interface Place {
  readonly group: string;
  readonly version: string;
}

const bearerToken = {
  type: "apiKey",
  in: "header",
  name: "authorization",
  description: "Bearer Token authentication",
};

const jsonContentType = "application/json";

function documentOf(
  parts: readonly (string | Uint8Array)[],
  contentType = jsonContentType,
): OpenApiAnswer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const etag = `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
  return { type: "document", contentType, body, etag, immutable: false };
}

/** The first form in the header that there is; `protobuf` goes by any of the names. */
function formIn(
  accept: string | null | undefined,
  protobuf: readonly [answered: string, ...others: string[]],
): "json" | "protobuf" {
  if (accept === null || accept === undefined || accept.trim() === "") return "json";
  for (const { type, quality } of parseAccept(accept)) {
    if (quality === 0) continue;
    if (protobuf.includes(type)) return "protobuf";
    if ([jsonContentType, "application/*", "*/*"].includes(type)) return "json";
  }
  throw notAcceptable([jsonContentType, protobuf[0]]);
}

const builtIn = new Set(kubernetesDefinitions());

function isBuiltIn(definition: string): boolean {
  return builtIn.has(definition);
}

function customDefinition(resource: ResourceDefinition, describe: Describe): Json {
  return definitionOf(resource.schema.object, { version: 3, describe }, () => undefined);
}

/** A custom resource is told of by its own schema, which says more than how it is written. */
function definitionOf(
  schema: ObjectSchema,
  form: OpenApiForm,
  refer: (definition: string) => void,
): Json {
  const { structural } = schema;
  if (structural === undefined) return openApiDefinition(schema, form, refer);
  return customOpenApi(structural, form, refer);
}

const definitionsPerTurn = 50;

/** The definitions of one document: those asked for, and all that they refer to. */
class Definitions {
  private readonly form: OpenApiForm;
  private readonly surface: ApiSurface;
  private readonly wanted = new Map<string, ObjectSchema | undefined>();
  private readonly custom = new Map<string, Json>();
  private readonly kinds = new Map<string, Json[]>();

  constructor(form: OpenApiForm, surface: ApiSurface) {
    this.form = form;
    this.surface = surface;
    for (const definition of operationDefinitions) this.need(definition);
  }

  /** The kind itself, its list, and what its subresources speak of. */
  needResource(resource: ResourceDefinition): void {
    const { group, version, kind, schema } = resource;
    const name = schema.name;
    this.needKind(name, { group, version, kind }, isBuiltIn(name) ? undefined : schema.object);
    const list = `${name}List`;
    if (resource.verbs.includes("list")) {
      const listKind = { group, version, kind: resource.listKind ?? `${kind}List` };
      if (isBuiltIn(list)) this.needKind(list, listKind, undefined);
      else this.addList(list, name, listKind);
    }
    for (const sub of subresourcesOf(this.surface, resource)) {
      const definition = definitionNameOf(sub);
      if (sub.kind !== kind && isBuiltIn(definition)) {
        const { group: subGroup, version: subVersion, kind: subKind } = sub;
        this.needKind(
          definition,
          { group: subGroup, version: subVersion, kind: subKind },
          undefined,
        );
      }
    }
    for (const shared of ["Status", "DeleteOptions", "WatchEvent"]) {
      const gvk = { group, version, kind: shared };
      this.addKind(`io.k8s.apimachinery.pkg.apis.meta.v1.${shared}`, gvk);
    }
  }

  private needKind(name: string, kind: Json, schema: ObjectSchema | undefined): void {
    this.need(name, schema);
    this.addKind(name, kind);
  }

  private addKind(name: string, kind: Json): void {
    const kinds = this.kinds.get(name) ?? [];
    const isKnown = kinds.some((known) => JSON.stringify(known) === JSON.stringify(kind));
    if (!isKnown) kinds.push(kind);
    this.kinds.set(name, kinds);
  }

  private need(name: string, schema?: ObjectSchema): void {
    if (!this.wanted.has(name)) this.wanted.set(name, schema);
  }

  private addList(list: string, item: string, kind: Json): void {
    const refs = this.form.version === 2 ? "#/definitions/" : "#/components/schemas/";
    const listMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
    this.need(listMeta);
    this.custom.set(list, {
      type: "object",
      properties: {
        apiVersion: { type: "string" },
        kind: { type: "string" },
        metadata: { $ref: `${refs}${listMeta}` },
        items: { type: "array", items: { $ref: `${refs}${item}` } },
      },
      required: ["items"],
    });
    this.addKind(list, kind);
  }

  /** As a JSON object, its names sorted. */
  async text(): Promise<string> {
    const written = new Map<string, string>();
    for await (const part of this.parts()) {
      for (const [name, definition] of Object.entries(part)) {
        written.set(name, JSON.stringify(definition));
      }
    }
    const names = [...written.keys()].sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${written.get(name)}`).join(",")}}`;
  }

  /** A part for each turn. What a definition refers to is found while it is made, so the walk ends with the last. */
  async *parts(): AsyncGenerator<Json> {
    let part: Record<string, Json> = {};
    let size = 0;
    for (const [name, schema] of this.wanted) {
      part[name] = this.definition(name, schema);
      size += 1;
      if (size < definitionsPerTurn) continue;
      yield part;
      part = {};
      size = 0;
      await nextTurn();
    }
    for (const [name, definition] of this.custom) {
      part[name] = { ...definition, ...this.kindsOf(name) };
    }
    yield part;
  }

  private definition(name: string, schema: ObjectSchema | undefined): Json {
    const scalar = openApiScalarDefinition(name, this.form);
    if (scalar !== undefined) return scalar;
    const definition = definitionOf(schema ?? kubernetesObjectSchema(name), this.form, (other) =>
      this.need(other),
    );
    return { ...definition, ...this.kindsOf(name) };
  }

  private kindsOf(name: string): Json {
    const kinds = this.kinds.get(name);
    return kinds === undefined ? {} : { "x-kubernetes-group-version-kind": kinds };
  }
}
