import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isConditionTrue } from "../../pkg/api/conditions.ts";
import { customResourceDefinitionResource } from "../../pkg/api/resources/customresourcedefinition.ts";
import { type Answer, ask as askIn } from "./api-world.ts";
import { type LoopsWorld, startLoopsWorld } from "./loops-world.ts";

let world: LoopsWorld;

beforeAll(async () => {
  world = await startLoopsWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

type Json = Readonly<Record<string, unknown>>;

const cronTabSchema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["cronSpec"],
      properties: {
        cronSpec: { type: "string", pattern: "^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$" },
        image: { type: "string" },
        replicas: { type: "integer", minimum: 1, maximum: 10, default: 1 },
        color: { type: "string", enum: ["red", "green"] },
        port: { "x-kubernetes-int-or-string": true },
        note: { type: "string", nullable: true },
        rules: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, weight: { type: "integer", default: 5 } },
          },
        },
        tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
        template: {
          type: "object",
          "x-kubernetes-embedded-resource": true,
          "x-kubernetes-preserve-unknown-fields": true,
        },
        anything: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      },
    },
    status: {
      type: "object",
      properties: {
        replicas: { type: "integer" },
        selector: { type: "string" },
        phase: { type: "string" },
      },
    },
  },
};

function definition(
  plural: string,
  kind: string,
  version: Json = {},
  spec: Json = {},
  group = "stable.example.com",
): Json {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind, shortNames: [plural.slice(0, 3)], categories: ["all"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: cronTabSchema },
          ...version,
        },
      ],
      ...spec,
    },
  };
}

async function ask(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
  return await world.api.request(method, path, { body, headers });
}

async function establish(crd: Json): Promise<void> {
  const name = (crd["metadata"] as { name: string }).name;
  const created = await ask("POST", crds, crd);
  expect(created.json).toMatchObject({ kind: "CustomResourceDefinition" });
  await world.until(customResourceDefinitionResource, (definitions) =>
    definitions.find(
      (each) =>
        each.metadata.name === name && isConditionTrue(each.status?.conditions, "Established"),
    ),
  );
}

function objectsOf(plural: string, version = "v1"): string {
  return `/apis/stable.example.com/${version}/namespaces/default/${plural}`;
}

function cronTab(kind: string, name: string, spec: Json = {}): Json {
  return {
    apiVersion: "stable.example.com/v1",
    kind,
    metadata: { name },
    spec: { cronSpec: "* * * * */5", ...spec },
  };
}

test("a kind comes with its definition and goes with it", async () => {
  expect((await ask("GET", objectsOf("crontabs"))).status).toBe(404);
  await establish(definition("crontabs", "CronTab"));

  const stored = await ask("GET", `${crds}/crontabs.stable.example.com`);
  expect(stored.json.status).toMatchObject({
    acceptedNames: {
      plural: "crontabs",
      singular: "crontab",
      kind: "CronTab",
      listKind: "CronTabList",
    },
    storedVersions: ["v1"],
    conditions: [
      {
        type: "NamesAccepted",
        status: "True",
        reason: "NoConflicts",
        message: "no conflicts found",
      },
      {
        type: "Established",
        status: "True",
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
      },
    ],
  });
  const found = await ask("GET", "/apis/stable.example.com/v1");
  expect(found.json.resources).toMatchObject([
    {
      name: "crontabs",
      singularName: "crontab",
      kind: "CronTab",
      shortNames: ["cro"],
      categories: ["all"],
    },
  ]);

  const created = await ask("POST", objectsOf("crontabs"), cronTab("CronTab", "one", { extra: 1 }));
  expect(created.status).toBe(201);
  expect(created.json).toMatchObject({
    metadata: { generation: 1 },
    spec: { cronSpec: "* * * * */5", replicas: 1 },
  });
  expect(created.json.spec).not.toHaveProperty("extra");
  expect(created.headers["warning"]).toContain('unknown field \\"spec.extra\\"');
  const list = await ask("GET", objectsOf("crontabs"));
  expect(list.json).toMatchObject({ kind: "CronTabList", items: [{ metadata: { name: "one" } }] });

  expect((await ask("DELETE", `${crds}/crontabs.stable.example.com`)).status).toBe(200);
  await world.until(customResourceDefinitionResource, (definitions) =>
    definitions.some(({ metadata }) => metadata.name === "crontabs.stable.example.com")
      ? undefined
      : true,
  );
  expect((await ask("GET", objectsOf("crontabs"))).status).toBe(404);
  expect((await ask("GET", "/apis/stable.example.com/v1")).status).toBe(404);
  expect(world.errors).toEqual([]);
});

describe("an established kind", () => {
  const objects = objectsOf("tabs");
  beforeAll(async () => {
    await establish(
      definition("tabs", "Tab", {
        subresources: {
          status: {},
          scale: {
            specReplicasPath: ".spec.replicas",
            statusReplicasPath: ".status.replicas",
            labelSelectorPath: ".status.selector",
          },
        },
        additionalPrinterColumns: [
          { name: "Spec", type: "string", jsonPath: ".spec.cronSpec" },
          { name: "Replicas", type: "integer", jsonPath: ".spec.replicas", priority: 1 },
          { name: "First", type: "string", jsonPath: '.spec.rules[?(@.name=="first")].weight' },
          { name: "Since", type: "date", jsonPath: ".metadata.creationTimestamp" },
        ],
        selectableFields: [{ jsonPath: ".spec.color" }, { jsonPath: ".spec.replicas" }],
      }),
    );
  });

  const make = async (name: string, spec: Json = {}) => {
    const created = await ask("POST", objects, cronTab("Tab", name, spec));
    expect(created.json).toMatchObject({ kind: "Tab" });
    return created.json;
  };

  test("is validated in upstream's words", async () => {
    const answer = await ask(
      "POST",
      objects,
      cronTab("Tab", "bad", {
        cronSpec: "never",
        replicas: "three",
        color: "blue",
        rules: [{ name: "a" }, { name: "a" }],
        tags: ["x", "x"],
        template: { kind: "Pod" },
      }),
    );
    expect(answer.status).toBe(422);
    expect(answer.json.message).toBe(
      'Tab.stable.example.com "bad" is invalid: [spec.cronSpec: Invalid value: "never": spec.cronSpec in body should match \'^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$\', spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string", spec.color: Unsupported value: "blue": supported values: "red", "green", .spec.replicas: Invalid value: 0: .spec.replicas accessor error: three is of the type string, expected int64, spec.template.apiVersion: Required value, spec.rules[1]: Duplicate value: {"name":"a"}, spec.tags[1]: Duplicate value: "x"]',
    );
    expect(answer.json.details.causes[1]).toEqual({
      reason: "FieldValueTypeInvalid",
      field: "spec.replicas",
      message: 'Invalid value: "string": spec.replicas in body must be of type integer: "string"',
    });
  });

  test("tells of unknown and doubled fields as it is asked to", async () => {
    const strict = await ask(
      "POST",
      `${objects}?fieldValidation=Strict`,
      '{"apiVersion":"stable.example.com/v1","kind":"Tab","metadata":{"name":"strict","odd":1},"spec":{"cronSpec":"* * * * *","image":"a","image":"b","rules":[{"name":"a","x":1}],"anything":{"free":1},"template":{"apiVersion":"v1","kind":"Pod","metadata":{"bad":1},"free":2}}}',
    );
    expect(strict.status).toBe(400);
    expect(strict.json.message).toBe(
      'Tab in version "v1" cannot be handled as a Tab: strict decoding error: duplicate field "spec.image", unknown field "metadata.odd", unknown field "spec.rules[0].x", unknown field "spec.template.metadata.bad"',
    );
    const ignored = await ask(
      "POST",
      `${objects}?fieldValidation=Ignore`,
      cronTab("Tab", "ignored", { odd: 1 }),
    );
    expect(ignored.status).toBe(201);
    expect(ignored.headers["warning"]).toBeUndefined();
    expect(ignored.json.spec).toEqual({ cronSpec: "* * * * */5", replicas: 1 });
  });

  test("keeps nulls only where they mean something, and every digit", async () => {
    const text =
      '{"apiVersion":"stable.example.com/v1","kind":"Tab","metadata":{"name":"nulls"},"spec":{"cronSpec":"* * * * *","replicas":null,"note":null,"image":null,"anything":{"__proto__":{"a":9007199254740993},"none":null}}}';
    const created = await ask("POST", objects, text);
    expect(created.status).toBe(201);
    expect(created.text).toContain(
      '"spec":{"cronSpec":"* * * * *","replicas":1,"note":null,"anything":{"__proto__":{"a":9007199254740993},"none":null}}',
    );
  });

  test("is patched in three languages, and not in the fourth", async () => {
    await make("patched", { rules: [{ name: "first" }] });
    const path = `${objects}/patched`;
    const merge = await ask(
      "PATCH",
      path,
      { spec: { image: "nginx", unknown: 1 } },
      { "content-type": "application/merge-patch+json" },
    );
    expect(merge.json.spec).toMatchObject({ image: "nginx", replicas: 1 });
    expect(merge.json.spec).not.toHaveProperty("unknown");
    expect(merge.json.metadata.generation).toBe(2);
    const json = await ask("PATCH", path, [{ op: "replace", path: "/spec/replicas", value: 3 }], {
      "content-type": "application/json-patch+json",
    });
    expect(json.json.spec.replicas).toBe(3);
    const strategic = await ask(
      "PATCH",
      path,
      {},
      {
        "content-type": "application/strategic-merge-patch+json",
      },
    );
    expect(strategic.status).toBe(415);
    expect(strategic.json.message).toBe(
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    );
    const wrong = await ask(
      "PATCH",
      path,
      { spec: { replicas: 11 } },
      {
        "content-type": "application/merge-patch+json",
      },
    );
    expect(wrong.status).toBe(422);
  });

  test("is applied by the server, item by item", async () => {
    const path = `${objects}/applied`;
    const apply = async (manager: string, spec: Json, force = "") =>
      await ask(
        "PATCH",
        `${path}?fieldManager=${manager}${force}`,
        cronTab("Tab", "applied", spec),
        { "content-type": "application/apply-patch+yaml" },
      );
    const first = await apply("one", { rules: [{ name: "a", weight: 1 }], tags: ["x"] });
    expect(first.status).toBe(201);
    expect(first.json.metadata.managedFields[0].fieldsV1).toEqual({
      "f:spec": {
        "f:cronSpec": {},
        "f:rules": { 'k:{"name":"a"}': { ".": {}, "f:name": {}, "f:weight": {} } },
        "f:tags": { 'v:"x"': {} },
      },
    });
    const second = await apply("two", { rules: [{ name: "b" }], tags: ["y"] });
    expect(second.json.spec.rules).toEqual([
      { name: "a", weight: 1 },
      { name: "b", weight: 5 },
    ]);
    expect(second.json.spec.tags).toEqual(["x", "y"]);
    const conflict = await apply("two", { rules: [{ name: "a", weight: 2 }] });
    expect(conflict.status).toBe(409);
    expect(conflict.json.message).toContain('.spec.rules[name="a"].weight');
    const gone = await apply("one", {});
    expect(gone.json.spec.rules).toEqual([{ name: "b", weight: 5 }]);
    const unknown = await apply("one", { odd: 1 });
    expect(unknown.status).toBe(400);
    expect(unknown.json.message).toContain(".spec.odd: field not declared in schema");
  });

  test("has a status of its own", async () => {
    const tab = await make("stated", { status: "ignored" });
    const path = `${objects}/stated/status`;
    const merged = { "content-type": "application/merge-patch+json" };
    const stated = await ask(
      "PATCH",
      path,
      { status: { phase: "Up", odd: 1 }, spec: { image: "x" }, metadata: { labels: { a: "b" } } },
      merged,
    );
    expect(stated.json.status).toEqual({ phase: "Up" });
    expect(stated.json.spec).not.toHaveProperty("image");
    expect(stated.json.metadata).not.toHaveProperty("labels");
    expect(stated.json.metadata.generation).toBe(tab.metadata.generation);
    const wrong = await ask("PATCH", path, { status: { phase: 1 } }, merged);
    expect(wrong.json.message).toBe(
      'Tab.stable.example.com "stated" is invalid: status.phase: Invalid value: "integer": phase in body must be of type string: "integer"',
    );
    const spec = await ask("PATCH", `${objects}/stated`, { status: { phase: "Down" } }, merged);
    expect(spec.json.status).toEqual({ phase: "Up" });
  });

  test("is scaled", async () => {
    await make("scaled", { replicas: 2 });
    const merged = { "content-type": "application/merge-patch+json" };
    await ask(
      "PATCH",
      `${objects}/scaled/status`,
      { status: { replicas: 1, selector: "app=tab" } },
      merged,
    );
    const path = `${objects}/scaled/scale`;
    expect((await ask("GET", path)).json).toMatchObject({
      kind: "Scale",
      spec: { replicas: 2 },
      status: { replicas: 1, selector: "app=tab" },
    });
    const scaled = await ask("PATCH", path, { spec: { replicas: 5 } }, merged);
    expect(scaled.json.spec.replicas).toBe(5);
    const tab = (await ask("GET", `${objects}/scaled`)).json;
    expect(tab).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 5 } });
    expect((await ask("PATCH", path, { spec: { replicas: 11 } }, merged)).status).toBe(422);
  });

  test("is shown in its columns", async () => {
    await make("shown", { rules: [{ name: "first", weight: 7 }] });
    const table = await ask("GET", `${objects}/shown`, undefined, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
    });
    expect(table.json.columnDefinitions.map((column: Json) => column["name"])).toEqual([
      "Name",
      "Spec",
      "Replicas",
      "First",
      "Since",
    ]);
    expect(table.json.columnDefinitions[1].description).toBe(
      "Custom resource definition column (in JSONPath format): .spec.cronSpec",
    );
    expect(table.json.rows[0].cells).toEqual([
      "shown",
      "* * * * */5",
      1,
      "7",
      expect.stringMatching(/^\d+s$/),
    ]);
  });

  test("is found by its fields", async () => {
    await make("red", { color: "red" });
    await make("green", { color: "green", replicas: 4 });
    const names = async (selector: string) =>
      (await ask("GET", `${objects}?fieldSelector=${selector}`)).json.items.map(
        (each: { metadata: { name: string } }) => each.metadata.name,
      );
    expect(await names("spec.color=red")).toEqual(["red"]);
    expect(await names("spec.color!=red,spec.replicas=4")).toEqual(["green"]);
    const unknown = await ask("GET", `${objects}?fieldSelector=spec.image=x`);
    expect(unknown.status).toBe(400);
    expect(unknown.json.message).toBe("field label not supported: spec.image");
  });

  test("is replaced only by who says which version is replaced", async () => {
    const tab = await make("replaced");
    const { resourceVersion: _, ...metadata } = tab.metadata;
    const blind = await ask("PUT", `${objects}/replaced`, { ...tab, metadata });
    expect(blind.json.message).toBe(
      'Tab.stable.example.com "replaced" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
    const seen = await ask("PUT", `${objects}/replaced`, {
      ...tab,
      spec: { ...tab.spec, image: "x" },
    });
    expect(seen.json.spec.image).toBe("x");
  });

  test("is to be had as JSON and YAML, and as metadata in protobuf", async () => {
    await make("encoded");
    const path = `${objects}/encoded`;
    const protobuf = "application/vnd.kubernetes.protobuf";
    const refused = await ask("GET", path, undefined, { accept: protobuf });
    expect(refused.status).toBe(406);
    // The refusal itself is a Status, which is to be had in protobuf.
    expect(refused.text).toContain(
      "only the following media types are accepted: application/json, application/yaml",
    );
    const either = await ask("GET", path, undefined, { accept: `${protobuf},application/json` });
    expect(either.headers["content-type"]).toBe("application/json");
    const metadata = await ask("GET", path, undefined, {
      accept: `${protobuf};as=PartialObjectMetadata;v=v1;g=meta.k8s.io`,
    });
    expect(metadata.status).toBe(200);
    const yaml = await ask("GET", path, undefined, { accept: "application/yaml" });
    expect(yaml.text).toContain("kind: Tab");
  });

  test("is described by its own schema within OpenAPI", async () => {
    const index = await ask("GET", "/openapi/v3");
    const { serverRelativeURL } = index.json.paths["apis/stable.example.com/v1"];
    const document = await ask("GET", serverRelativeURL);
    const schema = document.json.components.schemas["com.example.stable.v1.Tab"];
    expect(schema["x-kubernetes-group-version-kind"]).toEqual([
      { group: "stable.example.com", version: "v1", kind: "Tab" },
    ]);
    expect(schema.properties.spec.properties.replicas).toEqual({
      type: "integer",
      minimum: 1,
      maximum: 10,
      default: 1,
    });
    // By these kubectl chooses how to patch.
    const { patch } =
      document.json.paths[`${objects.replace("/default/", "/{namespace}/")}/{name}`];
    expect(Object.keys(patch.requestBody.content)).toEqual([
      "application/apply-patch+yaml",
      "application/json-patch+json",
      "application/merge-patch+json",
    ]);
    expect(schema.properties.metadata.allOf).toEqual([
      { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
    ]);
    expect(document.json.components.schemas["com.example.stable.v1.TabList"]).toMatchObject({
      properties: { items: { items: { $ref: "#/components/schemas/com.example.stable.v1.Tab" } } },
    });
    const second = await ask("GET", "/openapi/v2");
    expect(second.json.definitions["com.example.stable.v1.Tab"].properties.spec).toMatchObject({
      properties: { replicas: { type: "integer" } },
    });
  });

  test("is discovered at once, and only asked for again when it changes", async () => {
    const accept = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList";
    const before = await ask("GET", "/apis", undefined, { accept });
    const etag = String(before.headers["etag"]);
    const same = await ask("GET", "/apis", undefined, { accept, "if-none-match": etag });
    expect(same.status).toBe(304);
    await establish(definition("things", "Thing"));
    const after = await ask("GET", "/apis", undefined, { accept, "if-none-match": etag });
    expect(after.status).toBe(200);
    const group = after.json.items.find(
      (each: { metadata: { name: string } }) => each.metadata.name === "stable.example.com",
    );
    expect(group.versions[0].resources.map((each: Json) => each["resource"])).toContain("things");
  });
});

describe("several versions", () => {
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const oldSchema = {
    type: "object",
    properties: {
      spec: { type: "object", properties: { host: { type: "string" }, old: { type: "string" } } },
    },
  };
  const newSchema = {
    type: "object",
    properties: {
      spec: {
        type: "object",
        properties: { host: { type: "string" }, port: { type: "integer", default: 80 } },
      },
    },
  };
  const version = (name: string, schema: Json, storage: boolean, more: Json = {}) => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: schema },
    ...more,
  });

  test("are views of one object, which is stored as one of them", async () => {
    const both = (newest: boolean) =>
      definition(
        "hosts",
        "Host",
        {},
        {
          versions: [
            version("v1", newSchema, newest),
            version("v1beta1", oldSchema, !newest, { deprecated: true }),
          ],
        },
      );
    await establish(both(false));
    const created = await ask("POST", objectsOf("hosts", "v1beta1"), {
      apiVersion: "stable.example.com/v1beta1",
      kind: "Host",
      metadata: { name: "a" },
      spec: { host: "a", old: "x", port: 1 },
    });
    expect(created.json.spec).toEqual({ host: "a", old: "x" });
    expect(created.headers["warning"]).toEqual(
      expect.stringContaining(
        "stable.example.com/v1beta1 Host is deprecated; use stable.example.com/v1 Host",
      ),
    );
    const asNew = await ask("GET", `${objectsOf("hosts")}/a`);
    expect(asNew.json).toMatchObject({ apiVersion: "stable.example.com/v1", spec: { host: "a" } });
    expect(asNew.json.spec).not.toHaveProperty("old");
    expect(asNew.headers["warning"]).toBeUndefined();
    const listed = await ask("GET", objectsOf("hosts"));
    expect(listed.json.items[0].apiVersion).toBe("stable.example.com/v1");

    const crd = (await ask("GET", `${crds}/hosts.stable.example.com`)).json;
    const moved = await ask("PUT", `${crds}/hosts.stable.example.com`, {
      ...crd,
      spec: { ...crd.spec, versions: (both(true)["spec"] as { versions: unknown }).versions },
    });
    expect(moved.json.status.storedVersions).toEqual(["v1beta1", "v1"]);
    const still = await ask("GET", `${objectsOf("hosts", "v1beta1")}/a`);
    expect(still.json.spec).toEqual({ host: "a", old: "x" });
    // A write moves the object to the new version: what that one does not know is gone.
    const written = await ask(
      "PATCH",
      `${objectsOf("hosts")}/a`,
      { spec: { host: "b" } },
      { "content-type": "application/merge-patch+json" },
    );
    expect(written.json.spec).toEqual({ host: "b", port: 80 });
    const after = await ask("GET", `${objectsOf("hosts", "v1beta1")}/a`);
    expect(after.json.spec).toEqual({ host: "b" });

    const dropped = await ask("PUT", `${crds}/hosts.stable.example.com`, {
      ...moved.json,
      spec: { ...moved.json.spec, versions: [moved.json.spec.versions[0]] },
    });
    expect(dropped.json.message).toBe(
      'CustomResourceDefinition.apiextensions.k8s.io "hosts.stable.example.com" is invalid: status.storedVersions[0]: Invalid value: "v1beta1": missing from spec.versions; v1beta1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1beta1 and removes v1beta1 from status.storedVersions',
    );
  });

  test("a schema that changes shows in what was stored before", async () => {
    await establish(definition("changing", "Changing", { schema: { openAPIV3Schema: open } }));
    await ask("POST", objectsOf("changing"), {
      apiVersion: "stable.example.com/v1",
      kind: "Changing",
      metadata: { name: "a" },
      spec: { host: "a", stray: 1 },
    });
    const crd = (await ask("GET", `${crds}/changing.stable.example.com`)).json;
    crd.spec.versions[0].schema.openAPIV3Schema = newSchema;
    expect((await ask("PUT", `${crds}/changing.stable.example.com`, crd)).status).toBe(200);
    const read = await ask("GET", `${objectsOf("changing")}/a`);
    expect(read.json.spec).toEqual({ host: "a", port: 80 });
  });
});

describe("names", () => {
  test("that another kind of the group has are refused, and given once they are free", async () => {
    await establish(definition("firsts", "First"));
    const second = definition(
      "seconds",
      "Second",
      {},
      {
        names: { plural: "seconds", kind: "First", shortNames: ["fir"] },
      },
    );
    await ask("POST", crds, second);
    const refused = await world.until(customResourceDefinitionResource, (definitions) =>
      definitions.find(
        (each) =>
          each.metadata.name === "seconds.stable.example.com" &&
          (each.status?.conditions ?? []).length > 0,
      ),
    );
    expect(refused.status?.conditions).toMatchObject([
      {
        type: "NamesAccepted",
        status: "False",
        reason: "ListKindConflict",
        message: '"FirstList" is already in use',
      },
      {
        type: "Established",
        status: "False",
        reason: "NotAccepted",
        message: "not all names are accepted",
      },
    ]);
    expect((await ask("GET", objectsOf("seconds"))).status).toBe(404);
    await ask("DELETE", `${crds}/firsts.stable.example.com`);
    await world.until(customResourceDefinitionResource, (definitions) =>
      definitions.find(
        (each) =>
          each.metadata.name === "seconds.stable.example.com" &&
          isConditionTrue(each.status?.conditions, "Established"),
      ),
    );
    expect((await ask("GET", objectsOf("seconds"))).status).toBe(200);
  });
});

test("a definition ends when its objects have: nothing new is made meanwhile", async () => {
  await establish(definition("held", "Held"));
  const made = await ask("POST", objectsOf("held"), {
    ...cronTab("Held", "a"),
    metadata: { name: "a", finalizers: ["example.com/hold"] },
  });
  expect(made.status).toBe(201);
  await ask("DELETE", `${crds}/held.stable.example.com`);
  const ending = await world.until(customResourceDefinitionResource, (definitions) =>
    definitions.find((each) =>
      each.status?.conditions?.some(({ reason }) => reason === "InstanceDeletionInProgress"),
    ),
  );
  expect(ending.metadata.finalizers).toEqual(["customresourcecleanup.apiextensions.k8s.io"]);
  const refused = await ask("POST", objectsOf("held"), cronTab("Held", "b"));
  expect(refused.status).toBe(403);
  expect(refused.json.message).toBe(
    'held.stable.example.com "b" is forbidden: create not allowed while custom resource definition is terminating',
  );
  await ask(
    "PATCH",
    `${objectsOf("held")}/a`,
    { metadata: { finalizers: null } },
    { "content-type": "application/merge-patch+json" },
  );
  await world.until(customResourceDefinitionResource, (definitions) =>
    definitions.some(({ metadata }) => metadata.name === "held.stable.example.com")
      ? undefined
      : true,
  );
});

describe("a definition that cannot be is refused in upstream's words", () => {
  const schema = (openAPIV3Schema: Json) => ({ schema: { openAPIV3Schema } });
  const specOf = (properties: Json) =>
    schema({ type: "object", properties: { spec: { type: "object", properties } } });
  const at = "spec.validation.openAPIV3Schema";
  test.each<readonly [string, Json, Json, string]>([
    [
      "no schema",
      { schema: undefined },
      {},
      "spec.versions[0].schema.openAPIV3Schema: Required value",
    ],
    [
      "no type",
      schema({ properties: { spec: {} } }),
      {},
      `[${at}.properties[spec].type: Required value: must not be empty for specified object fields, ${at}.type: Required value: must not be empty at the root]`,
    ],
    [
      "a type inside anyOf",
      specOf({ a: { type: "string", anyOf: [{ type: "string" }] } }),
      {},
      `${at}.properties[spec].properties[a].anyOf[0].type: Forbidden: must be empty to be structural`,
    ],
    [
      "an unknown type",
      specOf({ a: { type: "text" } }),
      {},
      `${at}.properties[spec].properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
    [
      "a default of another type",
      specOf({ a: { type: "integer", default: "x" } }),
      {},
      `${at}.properties[spec].properties[a].default: Invalid value: "string":  in body must be of type integer: "string"`,
    ],
    [
      "a bad pattern",
      specOf({ a: { type: "string", pattern: "(" } }),
      {},
      `${at}.properties[spec].properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
    ],
    [
      "unique items",
      specOf({ a: { type: "array", uniqueItems: true, items: { type: "string" } } }),
      {},
      `${at}.properties[spec].properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ],
    [
      "a reference",
      specOf({ a: { type: "object", $ref: "#/x" } }),
      {},
      `${at}.properties[spec].properties[a].$ref: Forbidden: $ref is not supported`,
    ],
    [
      "keys that may be missing",
      specOf({
        a: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: { type: "object", properties: { name: { type: "string" } } },
        },
      }),
      {},
      `${at}.properties[spec].properties[a].items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
    ],
    [
      "a rule in CEL",
      schema({
        type: "object",
        properties: {
          spec: { type: "object", "x-kubernetes-validations": [{ rule: "self.a > 1" }] },
        },
      }),
      {},
      `${at}.properties[spec].x-kubernetes-validations: Forbidden: rules in CEL are not supported by this server yet, and are refused rather than ignored`,
    ],
    [
      "a webhook",
      {},
      {
        conversion: {
          strategy: "Webhook",
          webhook: {
            conversionReviewVersions: ["v1"],
            clientConfig: { service: { namespace: "a", name: "b" } },
          },
        },
      },
      "spec.conversion.strategy: Forbidden: conversion webhooks are not supported by this server yet: use strategy None, and the same schema in all versions",
    ],
    ["no scope", {}, { scope: "" }, "spec.scope: Required value"],
    [
      "another scope",
      {},
      { scope: "World" },
      'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
    ],
    [
      "two versions that are stored",
      {},
      {
        versions: ["v1", "v2"].map((name) => ({
          name,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object" } },
        })),
      },
      '[spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":true,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null},{"Name":"v2","Served":true,"Storage":true,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]: must have exactly one version marked as storage version, status.storedVersions: Invalid value: ["v1"]: must have the storage version v2]',
    ],
    [
      "a column of no type",
      { additionalPrinterColumns: [{ name: "A", type: "text", jsonPath: "spec" }] },
      {},
      '[spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string, spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec": must be a simple json path starting with .]',
    ],
    [
      "fields that cannot be selected by",
      { selectableFields: [{ jsonPath: ".spec.rules" }, { jsonPath: ".spec.none" }] },
      {},
      '[spec.selectableFields[0].jsonPath: Invalid value: ".spec.rules": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed., spec.selectableFields[1].jsonPath: Invalid value: ".spec.none": is an invalid path: does not refer to a valid field]',
    ],
    [
      "a scale without its paths",
      { subresources: { scale: { specReplicasPath: ".status.a", statusReplicasPath: "" } } },
      {},
      '[spec.subresources.scale.specReplicasPath: Invalid value: ".status.a": should be a json path under .spec, spec.subresources.scale.statusReplicasPath: Required value]',
    ],
  ])("%s", async (_, version, spec, message) => {
    const crd = definition("bads", "Bad", version, spec);
    const answer = await ask("POST", crds, crd);
    expect(answer.json.message).toBe(
      `CustomResourceDefinition.apiextensions.k8s.io "bads.stable.example.com" is invalid: ${message}`,
    );
    expect(answer.status).toBe(422);
  });

  test("another name", async () => {
    const crd = { ...definition("bads", "Bad"), metadata: { name: "other.stable.example.com" } };
    expect((await ask("POST", crds, crd)).json.message).toContain(
      'metadata.name: Invalid value: "other.stable.example.com": must be spec.names.plural+"."+spec.group',
    );
  });

  test("a group of the community's", async () => {
    const crd = definition("bads", "Bad", {}, {}, "example.k8s.io");
    expect((await ask("POST", crds, crd)).json.message).toContain(
      'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
    );
  });
});

test("objects of custom kinds go with their owners and their namespace", async () => {
  await establish(definition("owned", "Owned"));
  const owner = (await ask("POST", objectsOf("owned"), cronTab("Owned", "owner"))).json;
  const reference = {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
  };
  await ask("POST", objectsOf("owned"), {
    ...cronTab("Owned", "dependent"),
    metadata: { name: "dependent", ownerReferences: [reference] },
  });
  await ask("DELETE", `${objectsOf("owned")}/owner`);
  const found = world.api.resources.find("stable.example.com", "v1", "owned");
  if (found === undefined) throw new Error("the kind is not served");
  await world.until(found, (objects) => (objects.length === 0 ? true : undefined));

  await ask("POST", "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "ending" },
  });
  const path = "/apis/stable.example.com/v1/namespaces/ending/owned";
  expect((await ask("POST", path, cronTab("Owned", "a"))).status).toBe(201);
  await ask("DELETE", "/api/v1/namespaces/ending");
  await world.until(found, (objects) => (objects.length === 0 ? true : undefined));
});

test("a watch ends when its kind is served otherwise", async () => {
  await establish(definition("watched", "Watched"));
  const stream = world.api.session().request({
    ":method": "GET",
    ":path": `${objectsOf("watched")}?watch=1`,
  });
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await once(stream, "response");
  expect((await ask("POST", objectsOf("watched"), cronTab("Watched", "a"))).status).toBe(201);
  const ended = once(stream, "end");
  const crd = (await ask("GET", `${crds}/watched.stable.example.com`)).json;
  crd.spec.versions[0].additionalPrinterColumns = [
    { name: "Spec", type: "string", jsonPath: ".spec.cronSpec" },
  ];
  expect((await ask("PUT", `${crds}/watched.stable.example.com`, crd)).status).toBe(200);
  await ended;
  expect(JSON.parse(text)).toMatchObject({ type: "ADDED", object: { metadata: { name: "a" } } });
});

test("who may do what with a custom kind is said by roles, as with any other", async () => {
  await establish(definition("guarded", "Guarded"));
  const jane = world.api.session(world.api.certificateFor("jane", []));
  const path = objectsOf("guarded");
  expect((await askIn(jane, "GET", path)).status).toBe(403);
  const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
  await ask("POST", `${roles}/roles`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "guarded" },
    rules: [{ apiGroups: ["stable.example.com"], resources: ["guarded"], verbs: ["list"] }],
  });
  await ask("POST", `${roles}/rolebindings`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "guarded" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "guarded" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }],
  });
  expect((await askIn(jane, "GET", path)).status).toBe(200);
  expect((await askIn(jane, "POST", path, { body: cronTab("Guarded", "a") })).status).toBe(403);
});

test("a kind of the cluster's has no namespaces, and every verb", async () => {
  await establish(definition("globals", "Global", {}, { scope: "Cluster" }));
  const path = "/apis/stable.example.com/v1/globals";
  const dry = await ask("POST", `${path}?dryRun=All`, cronTab("Global", "dry"));
  expect(dry.status).toBe(201);
  expect((await ask("GET", `${path}/dry`)).status).toBe(404);
  for (const letter of ["a", "b", "c"]) {
    const made = await ask("POST", path, {
      ...cronTab("Global", ""),
      metadata: { generateName: `${letter}-` },
    });
    expect(made.json.metadata.name).toMatch(new RegExp(`^${letter}-[a-z0-9]{5}$`));
    expect(made.json.metadata).not.toHaveProperty("namespace");
  }
  const first = await ask("GET", `${path}?limit=2`);
  expect(first.json).toMatchObject({
    kind: "GlobalList",
    items: [{}, {}],
    metadata: { remainingItemCount: 1 },
  });
  const rest = await ask("GET", `${path}?limit=2&continue=${first.json.metadata.continue}`);
  expect(rest.json.items).toHaveLength(1);
  expect((await ask("GET", objectsOf("globals"))).status).toBe(404);
  expect((await ask("DELETE", path)).json.items).toHaveLength(3);
  expect((await ask("GET", path)).json.items).toEqual([]);
});

test("a definition may change in what its objects do not depend on, once it is established", async () => {
  await establish(definition("fixed", "Fixed"));
  const path = `${crds}/fixed.stable.example.com`;
  const crd = (await ask("GET", path)).json;
  const refused = await ask("PUT", path, {
    ...crd,
    spec: {
      ...crd.spec,
      scope: "Cluster",
      group: "other.example.com",
      names: { ...crd.spec.names, plural: "others", kind: "Other" },
    },
  });
  expect(refused.json.message).toBe(
    'CustomResourceDefinition.apiextensions.k8s.io "fixed.stable.example.com" is invalid: [spec.scope: Invalid value: "Cluster": field is immutable, spec.names.kind: Invalid value: "Other": field is immutable, spec.group: Invalid value: "other.example.com": field is immutable, spec.names.plural: Invalid value: "others": field is immutable]',
  );
  const renamed = await ask("PUT", path, {
    ...crd,
    spec: { ...crd.spec, names: { ...crd.spec.names, shortNames: ["fx"] } },
  });
  expect(renamed.json.metadata.generation).toBe(2);
  await world.until(customResourceDefinitionResource, (definitions) =>
    definitions.find(
      ({ metadata, status }) =>
        metadata.name === "fixed.stable.example.com" &&
        status?.acceptedNames?.shortNames?.[0] === "fx",
    ),
  );
  const found = await ask("GET", "/apis/stable.example.com/v1");
  const entry = found.json.resources.find((each: Json) => each["name"] === "fixed");
  expect(entry.shortNames).toEqual(["fx"]);
  const status = await ask(
    "PATCH",
    `${path}/status`,
    { spec: { scope: "Cluster" }, status: { acceptedNames: { kind: "Not A Kind" } } },
    { "content-type": "application/merge-patch+json" },
  );
  expect(status.json.message).toContain("status.acceptedNames.kind: Invalid value");
});

test("what its schema would not allow today may stay in an object while it is not touched", async () => {
  const open = {
    type: "object",
    properties: {
      spec: { type: "object", properties: { a: { type: "string" }, b: { type: "string" } } },
    },
  };
  const closed = structuredClone(open) as unknown as {
    properties: { spec: { properties: { a: Json } } };
  };
  closed.properties.spec.properties.a = { type: "string", pattern: "^x" };
  await establish(definition("lenient", "Lenient", { schema: { openAPIV3Schema: open } }));
  const object = { apiVersion: "stable.example.com/v1", kind: "Lenient", metadata: { name: "a" } };
  await ask("POST", objectsOf("lenient"), { ...object, spec: { a: "y", b: "1" } });
  const crd = (await ask("GET", `${crds}/lenient.stable.example.com`)).json;
  crd.spec.versions[0].schema.openAPIV3Schema = closed;
  await ask("PUT", `${crds}/lenient.stable.example.com`, crd);
  const merged = { "content-type": "application/merge-patch+json" };
  const path = `${objectsOf("lenient")}/a`;
  expect((await ask("PATCH", path, { spec: { b: "2" } }, merged)).status).toBe(200);
  const touched = await ask("PATCH", path, { spec: { a: "z" } }, merged);
  expect(touched.json.message).toBe(
    'Lenient.stable.example.com "a" is invalid: spec.a: Invalid value: "z": spec.a in body should match \'^x\'',
  );
  expect(
    (
      await ask("POST", objectsOf("lenient"), {
        ...object,
        metadata: { name: "b" },
        spec: { a: "y" },
      })
    ).status,
  ).toBe(422);
});

describe("names that are no plain data anywhere else", () => {
  test("are fields like any other", async () => {
    const fields = Object.fromEntries(
      ["constructor", "toString", "hasOwnProperty"].map((name) => [
        name,
        { type: "string", default: "d" },
      ]),
    );
    const properties = JSON.parse(
      `{"__proto__":{"type":"string"},${JSON.stringify(fields).slice(1, -1)}}`,
    );
    const schema = { type: "object", properties: { spec: { type: "object", properties } } };
    await establish(definition("odds", "Odd", { schema: { openAPIV3Schema: schema } }));
    const text =
      '{"apiVersion":"stable.example.com/v1","kind":"Odd","metadata":{"name":"a"},"spec":{"__proto__":"p","toString":"t","valueOf":"v"}}';
    const created = await ask("POST", objectsOf("odds"), text);
    expect(created.status).toBe(201);
    expect(created.text).toContain(
      '"spec":{"__proto__":"p","toString":"t","constructor":"d","hasOwnProperty":"d"}',
    );
    const wrong = await ask(
      "POST",
      objectsOf("odds"),
      text.replace('"p"', "1").replace('"a"', '"b"'),
    );
    expect(wrong.json.message).toContain("spec.__proto__ in body must be of type string");
  });
});

test("a definition that names a built-in kind neither changes nor deletes anything of it", async () => {
  const path = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
  const backend = { service: { name: "a", port: { number: 80 } } };
  const ingress = await ask("POST", path, {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "kept" },
    spec: { defaultBackend: backend },
  });
  expect(ingress.status).toBe(201);
  const crd = definition("ingresses", "Ingress", { name: "v9" }, {}, "networking.k8s.io");
  const approved = {
    ...crd,
    metadata: {
      name: "ingresses.networking.k8s.io",
      annotations: { "api-approved.kubernetes.io": "unapproved, a test" },
    },
  };
  await establish(approved);
  expect((await ask("GET", path.replace("/v1/", "/v9/"))).status).toBe(404);
  await ask("DELETE", `${crds}/ingresses.networking.k8s.io`);
  await world.until(customResourceDefinitionResource, (definitions) =>
    definitions.some(({ metadata }) => metadata.name === "ingresses.networking.k8s.io")
      ? undefined
      : true,
  );
  expect((await ask("GET", `${path}/kept`)).status).toBe(200);
});

test("objects of versions that are no longer served go with their definition, too", async () => {
  await establish(definition("unserved", "Unserved"));
  expect((await ask("POST", objectsOf("unserved"), cronTab("Unserved", "a"))).status).toBe(201);
  const crd = (await ask("GET", `${crds}/unserved.stable.example.com`)).json;
  crd.spec.versions[0].served = false;
  expect((await ask("PUT", `${crds}/unserved.stable.example.com`, crd)).status).toBe(200);
  expect((await ask("GET", `${objectsOf("unserved")}/a`)).status).toBe(404);
  await ask("DELETE", `${crds}/unserved.stable.example.com`);
  await world.until(customResourceDefinitionResource, (definitions) =>
    definitions.some(({ metadata }) => metadata.name === "unserved.stable.example.com")
      ? undefined
      : true,
  );
  await establish(definition("unserved", "Unserved"));
  expect((await ask("GET", objectsOf("unserved"))).json.items).toEqual([]);
});
