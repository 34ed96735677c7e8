import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../pkg/api/object.ts";
import { configMapResource } from "../../pkg/api/resources/configmap.ts";
import { customResourceDefinitionResource } from "../../pkg/api/resources/customresourcedefinition.ts";
import { namespaceResource } from "../../pkg/api/resources/namespace.ts";
import { present } from "../../pkg/base/assert.ts";
import { type Clock, systemClock } from "../../pkg/base/clock.ts";
import { type LoopsWorld, startLoopsWorld } from "./loops-world.ts";

let world: LoopsWorld;

/** What is looked at again after half a minute is looked at again after half a second. */
const clock: Clock = {
  ...systemClock,
  after: (durationMs, callback) => systemClock.after(durationMs / 60, callback),
};

beforeAll(async () => {
  world = await startLoopsWorld({ clock });
});

afterAll(async () => {
  expect(world.errors).toEqual([]);
  await world[Symbol.asyncDispose]();
});

const group = "own.example.com";
const apiVersion = `${group}/v1`;
const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

interface Reference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly blockOwnerDeletion?: boolean;
}

const ask = (method: string, path: string, body?: unknown, headers = {}) =>
  world.api.request(method, path, { body, headers });

async function post(path: string, body: object): Promise<KubernetesObject> {
  const answer = await ask("POST", path, body);
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return answer.json;
}

const merge = (path: string, body: object) =>
  ask("PATCH", path, body, { "content-type": "application/merge-patch+json" });

/** A kind whose spec has these fields, all of them text, and no others. */
function definition(kind: string, fields: readonly string[], scope = "Namespaced") {
  const plural = `${kind.toLowerCase()}s`;
  const properties = Object.fromEntries(fields.map((field) => [field, { type: "string" }]));
  const openAPIV3Schema = {
    type: "object",
    properties: { spec: { type: "object", properties } },
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, kind },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

const find = (kind: string) => world.api.resources.find(group, "v1", `${kind.toLowerCase()}s`);

async function establish(kind: string, fields: readonly string[], scope?: string): Promise<void> {
  await post(crds, definition(kind, fields, scope));
  await world.until(customResourceDefinitionResource, () => find(kind));
}

async function abolish(kind: string): Promise<void> {
  const name = `${kind.toLowerCase()}s.${group}`;
  await ask("DELETE", `${crds}/${name}`);
  await world.until(customResourceDefinitionResource, (all) =>
    all.some(({ metadata }) => metadata.name === name) || find(kind) ? undefined : true,
  );
}

function pathOf(kind: string, namespace?: string): string {
  const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `/apis/${apiVersion}${scope}/${kind.toLowerCase()}s`;
}

interface Fields {
  readonly owners?: readonly Reference[];
  readonly finalizers?: readonly string[];
  readonly spec?: Readonly<Record<string, string>>;
}

const object = (
  kind: string,
  name: string,
  { owners = [], finalizers = [], spec = {} }: Fields = {},
) => ({
  apiVersion: kind === "ConfigMap" ? "v1" : apiVersion,
  kind,
  metadata: { name, ownerReferences: owners, finalizers },
  ...(kind === "ConfigMap" ? { data: spec } : { spec }),
});

const referenceTo = ({ apiVersion, kind, metadata }: KubernetesObject): Reference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
});

/** Resolves once no object of the kind is left. */
const untilNone = (kind: string) =>
  world.until(present(find(kind), kind), (all) => (all.length === 0 ? true : undefined));

const untilNoConfigMaps = (namespace: string) =>
  world.until(configMapResource, (all) =>
    all.some(
      ({ metadata }) => metadata.namespace === namespace && metadata.name !== "kube-root-ca.crt",
    )
      ? undefined
      : true,
  );

async function newNamespace(name: string): Promise<string> {
  await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return name;
}

test("a namespace full of custom objects goes once their finalizers are done", async () => {
  await establish("Parent", ["size"]);
  await establish("Child", ["size"]);
  const namespace = await newNamespace("full");
  for (let index = 0; index < 20; index += 1) {
    const parent = await post(pathOf("Parent", namespace), object("Parent", `p${index}`));
    const owners = [{ ...referenceTo(parent), blockOwnerDeletion: true }];
    await post(pathOf("Child", namespace), object("Child", `c${index}`, { owners }));
  }
  const kept = object("Child", "kept", { finalizers: ["a.example.com/wait"] });
  await post(pathOf("Child", namespace), kept);
  await ask("DELETE", `/api/v1/namespaces/${namespace}`);
  const waiting = await world.until(namespaceResource, (all) =>
    all.find(
      ({ metadata, status }) =>
        metadata.name === namespace &&
        status.conditions?.some(
          ({ type, message }) =>
            type === "NamespaceContentRemaining" &&
            message === `Some resources are remaining: childs.${group}. has 1 resource instances`,
        ),
    ),
  );
  expect(waiting.status.conditions).toContainEqual(
    expect.objectContaining({
      type: "NamespaceFinalizersRemaining",
      status: "True",
      message:
        "Some content in the namespace has finalizers remaining: a.example.com/wait in 1 resource instances",
    }),
  );
  await merge(`${pathOf("Child", namespace)}/kept`, { metadata: { finalizers: null } });
  await world.until(namespaceResource, (all) =>
    all.some(({ metadata }) => metadata.name === namespace) ? undefined : true,
  );
  await untilNone("Parent");
  await untilNone("Child");
});

describe("what a custom object owns", () => {
  test("is deleted with it: built-in and custom objects, also of an owner without a namespace", async () => {
    await establish("Home", []);
    await establish("Realm", [], "Cluster");
    const namespace = await newNamespace("owned");
    const realm = await post(pathOf("Realm"), object("Realm", "r"));
    const home = await post(
      pathOf("Home", namespace),
      object("Home", "h", { owners: [referenceTo(realm)] }),
    );
    const owners = [referenceTo(home)];
    await post(`/api/v1/namespaces/${namespace}/configmaps`, object("ConfigMap", "m", { owners }));
    await ask("DELETE", `${pathOf("Realm")}/r`);
    await untilNone("Home");
    await untilNoConfigMaps(namespace);
  });

  test("goes before it, when it is deleted in the foreground", async () => {
    await establish("House", []);
    const namespace = await newNamespace("foreground");
    const house = await post(pathOf("House", namespace), object("House", "h"));
    const owners = [{ ...referenceTo(house), blockOwnerDeletion: true }];
    const finalizers = ["a.example.com/wait"];
    const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
    await post(configMaps, object("ConfigMap", "m", { owners, finalizers }));
    await ask("DELETE", `${pathOf("House", namespace)}/h?propagationPolicy=Foreground`);
    await world.until(configMapResource, (all) =>
      all.find(({ metadata }) => metadata.name === "m" && metadata.deletionTimestamp !== undefined),
    );
    expect((await ask("GET", `${pathOf("House", namespace)}/h`)).json.metadata.finalizers).toEqual([
      "foregroundDeletion",
    ]);
    await merge(`${configMaps}/m`, { metadata: { finalizers: null } });
    await untilNone("House");
  });

  test("goes when its owner's kind goes", async () => {
    await establish("Flock", []);
    const namespace = await newNamespace("flocks");
    for (let index = 0; index < 100; index += 1) {
      const flock = await post(pathOf("Flock", namespace), object("Flock", `f${index}`));
      await post(
        `/api/v1/namespaces/${namespace}/configmaps`,
        object("ConfigMap", `m${index}`, { owners: [referenceTo(flock)] }),
      );
    }
    await abolish("Flock");
    await untilNoConfigMaps(namespace);
  });

  test("is kept while nobody knows the owner's kind, and goes when the kind has no such owner", async () => {
    const namespace = await newNamespace("unknown");
    const owners = [{ apiVersion, kind: "Ghost", name: "g", uid: "0-0-0" }];
    await post(`/api/v1/namespaces/${namespace}/configmaps`, object("ConfigMap", "m", { owners }));
    await establish("Ghost", []);
    await untilNoConfigMaps(namespace);
  });
});

describe("a kind that was deleted and made again with another schema", () => {
  test("keeps what its objects have when they are let go", async () => {
    await establish("Again", ["old"]);
    const namespace = await newNamespace("again");
    const path = pathOf("Again", namespace);
    const former = await post(path, object("Again", "a", { spec: { old: "1" } }));
    await post(path, object("Again", "b", { owners: [referenceTo(former)], spec: { old: "1" } }));
    await abolish("Again");
    await establish("Again", ["fresh"]);
    const first = await post(path, object("Again", "first", { spec: { fresh: "2" } }));
    const second = await post(path, object("Again", "second", { spec: { fresh: "2" } }));
    const owners = [referenceTo(first), referenceTo(second)];
    await post(path, object("Again", "both", { owners, spec: { fresh: "2" } }));
    await post(
      path,
      object("Again", "orphan", { owners: [referenceTo(first)], spec: { fresh: "2" } }),
    );
    // Letting go takes a patch of the dependents, and one of the owner.
    await ask("DELETE", `${path}/first?propagationPolicy=Orphan`);
    const left = await world.until(present(find("Again"), "Again"), (all) =>
      all.length === 3 &&
      all.every(
        ({ metadata }) =>
          (metadata.ownerReferences ?? []).length === (metadata.name === "both" ? 1 : 0),
      )
        ? all
        : undefined,
    );
    expect(left.map((each) => [each.metadata.name, (each as { spec?: unknown }).spec])).toEqual([
      ["both", { fresh: "2" }],
      ["orphan", { fresh: "2" }],
      ["second", { fresh: "2" }],
    ]);
  });

  test("keeps them also while its schema only changes", async () => {
    await establish("Grown", ["old"]);
    const namespace = await newNamespace("grown");
    const path = pathOf("Grown", namespace);
    await post(path, object("Grown", "early", { spec: { old: "1" } }));
    const crd = `${crds}/growns.${group}`;
    const { spec } = definition("Grown", ["old", "fresh"]);
    await merge(crd, { spec: { versions: spec.versions } });
    const owner = await post(path, object("Grown", "owner", { spec: { fresh: "2" } }));
    await post(
      path,
      object("Grown", "late", { owners: [referenceTo(owner)], spec: { fresh: "2" } }),
    );
    await ask("DELETE", `${path}/owner?propagationPolicy=Orphan`);
    await world.until(present(find("Grown"), "Grown"), (all) =>
      all.length === 2 && all.every(({ metadata }) => metadata.ownerReferences === undefined)
        ? true
        : undefined,
    );
    expect((await ask("GET", `${path}/late`)).json.spec).toEqual({ fresh: "2" });
  });

  test("without namespaces where it had them, it owns and is collected as before", async () => {
    await establish("Moved", []);
    const namespace = await newNamespace("moved");
    await post(pathOf("Moved", namespace), object("Moved", "a"));
    await abolish("Moved");
    await establish("Moved", [], "Cluster");
    const top = await post(pathOf("Moved"), object("Moved", "top"));
    const owners = [referenceTo(top)];
    await post(pathOf("Moved"), object("Moved", "below", { owners }));
    await post(`/api/v1/namespaces/${namespace}/configmaps`, object("ConfigMap", "m", { owners }));
    await ask("DELETE", `${pathOf("Moved")}/top`);
    await untilNone("Moved");
    await untilNoConfigMaps(namespace);
    const events = await ask(
      "GET",
      "/api/v1/events?fieldSelector=reason%3DOwnerRefInvalidNamespace",
    );
    expect(events.json.items).toEqual([]);
  });
});
