import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiWorld, startApiWorld } from "./api-world.ts";
import { WatchClient } from "./watch-client.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...more },
  data: { key: "value" },
});
const create = (name: string, more: object = {}) =>
  world.request("POST", configMaps, { body: configMap(name, more) });

describe("create", () => {
  test("answers with what is stored, and a GET gives the very same bytes", async () => {
    const created = await create("made");
    expect(created.status).toBe(201);
    expect(created.headers["content-type"]).toBe("application/json");
    expect(created.headers["cache-control"]).toBe("no-cache, private");
    expect(created.headers["audit-id"]).toMatch(/^[0-9a-f-]{36}$/);
    const { metadata } = created.json;
    expect(metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(0);
    expect(metadata.generation).toBeUndefined();
    const read = await world.request("GET", `${configMaps}/made`);
    expect(read.status).toBe(200);
    expect(read.text).toBe(created.text);
  });

  test("a name that is taken is AlreadyExists", async () => {
    await create("taken");
    const again = await create("taken");
    expect(again.status).toBe(409);
    expect(again.json).toMatchObject({
      kind: "Status",
      status: "Failure",
      reason: "AlreadyExists",
      message: 'configmaps "taken" already exists',
      code: 409,
    });
  });

  test("generateName is completed", async () => {
    const body = { metadata: { generateName: "some-" } };
    const created = await world.request("POST", configMaps, { body });
    expect(created.json.metadata.name).toMatch(/^some-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  test("an unknown field is a warning, a refusal where the client is strict, and nothing where it ignores them", async () => {
    const body = { ...configMap("odd"), foo: 1 };
    const warned = await world.request("POST", `${configMaps}?dryRun=All`, { body });
    expect(warned.status).toBe(201);
    expect(warned.headers["warning"]).toBe('299 - "unknown field \\"foo\\""');
    const strict = await world.request("POST", `${configMaps}?fieldValidation=Strict`, { body });
    expect(strict.status).toBe(400);
    expect(strict.json.message).toContain('strict decoding error: unknown field "foo"');
    const ignored = await world.request("POST", `${configMaps}?fieldValidation=Ignore&dryRun=All`, {
      body,
    });
    expect(ignored.headers["warning"]).toBeUndefined();
  });

  test("a dry run stores nothing", async () => {
    const created = await world.request("POST", `${configMaps}?dryRun=All`, {
      body: configMap("dry"),
    });
    expect(created.status).toBe(201);
    expect(created.json.metadata.uid).toBeDefined();
    expect((await world.request("GET", `${configMaps}/dry`)).status).toBe(404);
  });

  test.each([
    [{ name: "Bad_Name" }, "metadata.name"],
    [{ name: "a", labels: { "-": "x" } }, "metadata.labels"],
    [{ name: "a", annotations: { big: "x".repeat(256 * 1024) } }, "metadata.annotations"],
    [{ name: "a", finalizers: ["no good"] }, "metadata.finalizers"],
    [
      { name: "a", ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p" }] },
      "metadata.ownerReferences[0].uid",
    ],
    [{}, "metadata.name"],
  ])("metadata %j is Invalid", async (metadata, field) => {
    const answer = await world.request("POST", configMaps, { body: { metadata } });
    expect(answer.status).toBe(422);
    expect(answer.json.reason).toBe("Invalid");
    expect(answer.json.details.causes[0].field).toBe(field);
  });

  test("another namespace than the path's is refused", async () => {
    const answer = await create("elsewhere", { namespace: "other" });
    expect(answer.status).toBe(400);
    expect(answer.json.message).toBe(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  });

  test("a body over 3 MiB is refused, and the connection goes on", async () => {
    const body = { ...configMap("huge"), data: { x: "y".repeat(4 * 1024 * 1024) } };
    const answer = await world.request("POST", configMaps, { body });
    expect(answer.status).toBe(413);
    expect(answer.json.message).toBe("Request entity too large: limit is 3145728");
    expect((await world.request("GET", "/version")).status).toBe(200);
  });

  test("malformed JSON is a BadRequest", async () => {
    const answer = await world.request("POST", configMaps, { body: '{"metadata":' });
    expect(answer.status).toBe(400);
    expect(answer.json.kind).toBe("Status");
  });

  test("what is no object, or one of another kind, is told so in upstream's words", async () => {
    const messageOf = async (body: string) => {
      const answer = await world.request("POST", configMaps, { body });
      expect(answer.status).toBe(400);
      expect(answer.json.reason).toBe("BadRequest");
      return answer.json.message;
    };
    expect(await messageOf("[]")).toContain(
      "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct",
    );
    const pod = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}';
    expect(await messageOf(pod)).toBe(
      'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
    );
    expect(await messageOf('{"apiVersion":"v2","kind":"ConfigMap"}')).toBe(
      'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2"',
    );
  });

  test("__proto__ and constructor are keys like any other", async () => {
    const body = '{"metadata":{"name":"proto"},"data":{"__proto__":"p","constructor":"c"}}';
    const answer = await world.request("POST", configMaps, { body });
    expect(answer.status).toBe(201);
    expect(answer.text).toContain('"data":{"__proto__":"p","constructor":"c"}');
  });
});

describe("update", () => {
  test("an old version is a conflict, the present one is replaced, and no change is no new version", async () => {
    const first = (await create("upd")).json;
    const second = await world.request("PUT", `${configMaps}/upd`, {
      body: { ...first, data: { key: "2" } },
    });
    expect(second.status).toBe(200);
    const late = await world.request("PUT", `${configMaps}/upd`, {
      body: { ...first, data: { key: "3" } },
    });
    expect(late.status).toBe(409);
    expect(late.json.message).toBe(
      'Operation cannot be fulfilled on configmaps "upd": the object has been modified; please apply your changes to the latest version and try again',
    );
    const same = await world.request("PUT", `${configMaps}/upd`, { body: second.json });
    expect(same.json.metadata.resourceVersion).toBe(second.json.metadata.resourceVersion);
    const unconditional = await world.request("PUT", `${configMaps}/upd`, {
      body: configMap("upd"),
    });
    expect(unconditional.status).toBe(200);
    expect(unconditional.json.metadata.uid).toBe(first.metadata.uid);
  });

  test("another uid is a conflict; another name a BadRequest; nothing there is NotFound", async () => {
    await create("who");
    const stranger = await world.request("PUT", `${configMaps}/who`, {
      body: configMap("who", { uid: "other" }),
    });
    expect(stranger.status).toBe(409);
    expect(stranger.json.message).toContain("Precondition failed: UID in precondition: other");
    const renamed = await world.request("PUT", `${configMaps}/who`, { body: configMap("whom") });
    expect(renamed.status).toBe(400);
    expect(renamed.json.message).toBe(
      "the name of the object (whom) does not match the name on the URL (who)",
    );
    const nobody = await world.request("PUT", `${configMaps}/nobody`, {
      body: configMap("nobody"),
    });
    expect(nobody.status).toBe(404);
  });

  test("a Lease is created by PUT, and never replaced without its version", async () => {
    const path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l";
    const body = { metadata: { name: "l" }, spec: { holderIdentity: "a" } };
    expect((await world.request("PUT", path, { body })).status).toBe(201);
    const blind = await world.request("PUT", path, { body });
    expect(blind.status).toBe(422);
    expect(blind.json.message).toContain(
      "metadata.resourceVersion: Invalid value: 0: must be specified for an update",
    );
  });

  test("a spec write keeps the status, a status write the spec; generation counts the spec's changes", async () => {
    const path = "/apis/apps/v1/namespaces/default/deployments";
    const body = {
      metadata: { name: "web" },
      spec: {
        selector: { matchLabels: { a: "b" } },
        template: {
          metadata: { labels: { a: "b" } },
          spec: { containers: [{ name: "c", image: "i" }] },
        },
      },
      status: { replicas: 7 },
    };
    const made = (await world.request("POST", path, { body })).json;
    expect(made.metadata.generation).toBe(1);
    expect(made.status.replicas ?? 0).toBe(0);
    const status = (
      await world.request("PUT", `${path}/web/status`, {
        body: {
          ...made,
          spec: { ...made.spec, replicas: 9 },
          status: { replicas: 1, observedGeneration: 1 },
        },
      })
    ).json;
    expect(status.status.replicas).toBe(1);
    expect(status.spec.replicas).toBe(1);
    expect(status.metadata.generation).toBe(1);
    const spec = (
      await world.request("PUT", `${path}/web`, {
        body: { ...status, spec: { ...status.spec, replicas: 3 }, status: { replicas: 5 } },
      })
    ).json;
    expect(spec.metadata.generation).toBe(2);
    expect(spec.status.replicas).toBe(1);
    const scale = await world.request("PATCH", `${path}/web/scale`, {
      body: { spec: { replicas: 4 } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    expect(scale.json).toMatchObject({
      kind: "Scale",
      spec: { replicas: 4 },
      status: { selector: "a=b" },
    });
    expect((await world.request("GET", `${path}/web`)).json.spec.replicas).toBe(4);
    const table = await world.request("GET", `${path}/web/scale`, {
      headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    });
    const { columnDefinitions, rows } = table.json;
    expect(columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
      "Name",
      "Desired",
      "Available",
      "Age",
    ]);
    expect(rows[0].cells.slice(0, 3)).toEqual(["web", 4, 1]);
  });
});

describe("patch", () => {
  const patch = (name: string, type: string, body: unknown, query = "") =>
    world.request("PATCH", `${configMaps}/${name}${query}`, {
      body,
      headers: { "content-type": `application/${type}` },
    });

  test("in each of the four languages", async () => {
    await create("p");
    await patch("p", "json-patch+json", [{ op: "add", path: "/data/j", value: "1" }]);
    await patch("p", "merge-patch+json", { data: { m: "1", key: null } });
    await patch("p", "strategic-merge-patch+json", { metadata: { labels: { s: "1" } } });
    const applied = await patch(
      "p",
      "apply-patch+yaml",
      "apiVersion: v1\nkind: ConfigMap\ndata: {a: '1'}\n",
      "?fieldManager=me",
    );
    expect(applied.json.data).toEqual({ j: "1", m: "1", a: "1" });
    expect(applied.json.metadata.labels).toEqual({ s: "1" });
    const unknown = await patch("p", "json", {});
    expect(unknown.status).toBe(415);
  });

  test("that makes of an object what its kind cannot be is told to be the culprit", async () => {
    await create("typed");
    const merged = await patch("typed", "merge-patch+json", { data: { a: 1 } });
    expect(merged.status).toBe(422);
    expect(merged.json.reason).toBe("Invalid");
    expect(merged.json.message).toMatch(/^ "" is invalid: patch: Invalid value: "{/);
    expect(merged.json.details.causes[0].message).toMatch(
      /: json: cannot unmarshal number into Go struct field ConfigMap.data of type string$/,
    );
    const causeOf = async (body: object, query = "") => {
      const answer = await patch("typed", "strategic-merge-patch+json", body, query);
      expect(answer.status).toBe(422);
      return answer.json.details;
    };
    expect(await causeOf({ data: { a: 1 } })).toEqual({
      causes: [
        {
          reason: "FieldValueInvalid",
          message: 'Invalid value: "map[data:map[a:1]]": cannot convert int64 to string',
          field: "patch",
        },
      ],
    });
    expect((await causeOf({ immutable: "x" })).causes[0].message).toContain(
      "unrecognized type: bool",
    );
    expect((await causeOf({ foo: 1 }, "?fieldValidation=Strict")).causes[0].message).toBe(
      'Invalid value: "map[foo:1]": strict decoding error: unknown field "foo"',
    );
  });

  test("that cannot be read is a BadRequest that says why", async () => {
    await create("read");
    const why = "invalid character '{' looking for beginning of object key string";
    const garbage = async (type: string, query = "") => {
      const answer = await patch("read", type, "{{", query);
      expect(answer.status).toBe(400);
      return answer.json.message;
    };
    expect(await garbage("json-patch+json")).toBe(`error decoding patch: ${why}`);
    expect(await garbage("merge-patch+json")).toBe(`error decoding patch: ${why}`);
    expect(await garbage("strategic-merge-patch+json")).toBe(why);
    expect(await garbage("apply-patch+yaml", "?fieldManager=me")).toMatch(
      /^error decoding YAML: error converting YAML to JSON: yaml: /,
    );
  });

  test("an apply creates what is not there, and what another applied is a conflict unless forced", async () => {
    const yaml = (value: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ssa}\ndata: {a: '${value}'}\n`;
    const made = await patch("ssa", "apply-patch+yaml", yaml("1"), "?fieldManager=one");
    expect(made.status).toBe(201);
    const refused = await patch("ssa", "apply-patch+yaml", yaml("2"), "?fieldManager=two");
    expect(refused.status).toBe(409);
    expect(refused.json.message).toBe('Apply failed with 1 conflict: conflict with "one": .data.a');
    const forced = await patch(
      "ssa",
      "apply-patch+yaml",
      yaml("2"),
      "?fieldManager=two&force=true",
    );
    expect(forced.status).toBe(200);
    expect(forced.json.data.a).toBe("2");
    const nameless = await patch("ssa", "apply-patch+yaml", yaml("2"));
    expect(nameless.status).toBe(422);
  });

  test("a Scale is applied: who set the replicas otherwise is asked first", async () => {
    const path = "/apis/apps/v1/namespaces/default/deployments/scaled";
    await world.request("POST", "/apis/apps/v1/namespaces/default/deployments", {
      body: {
        metadata: { name: "scaled" },
        spec: {
          replicas: 1,
          selector: { matchLabels: { a: "scaled" } },
          template: {
            metadata: { labels: { a: "scaled" } },
            spec: { containers: [{ name: "c", image: "i" }] },
          },
        },
      },
      headers: { "user-agent": "maker/1" },
    });
    const apply = (replicas: number, query: string) =>
      world.request("PATCH", `${path}/scale?fieldManager=hpa${query}`, {
        body: `apiVersion: autoscaling/v1\nkind: Scale\nspec: {replicas: ${replicas}}\n`,
        headers: { "content-type": "application/apply-patch+yaml" },
      });
    const refused = await apply(5, "");
    expect(refused.status).toBe(409);
    expect(refused.json.message).toContain('conflict with "maker"');
    const forced = await apply(5, "&force=true");
    expect(forced.status).toBe(200);
    expect(forced.json).toMatchObject({ kind: "Scale", spec: { replicas: 5 } });
    const stored = (await world.request("GET", path)).json;
    expect(stored.spec.replicas).toBe(5);
    expect(stored.metadata.managedFields).toContainEqual(
      expect.objectContaining({
        manager: "hpa",
        operation: "Apply",
        apiVersion: "apps/v1",
        subresource: "scale",
        fieldsV1: { "f:spec": { "f:replicas": {} } },
      }),
    );
    expect((await apply(6, "")).json.spec.replicas).toBe(6);
    expect((await apply(-1, "")).status).toBe(422);
  });

  test("a hundred at once are all there in the end", async () => {
    await create("busy");
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        patch("busy", "merge-patch+json", { data: { [`k${index}`]: "v" } }),
      ),
    );
    const { data } = (await world.request("GET", `${configMaps}/busy`)).json;
    expect(Object.keys(data)).toHaveLength(101);
  });
});

describe("delete", () => {
  test("answers with a Status, and what holds a finalizer only waits", async () => {
    const gone = (await create("gone")).json;
    const deleted = await world.request("DELETE", `${configMaps}/gone`);
    expect(deleted.json).toMatchObject({
      kind: "Status",
      status: "Success",
      details: { name: "gone", kind: "configmaps", uid: gone.metadata.uid },
    });
    await create("held", { finalizers: ["example.com/hold"] });
    const marked = await world.request("DELETE", `${configMaps}/held`);
    expect(marked.json.metadata.deletionTimestamp).toBeDefined();
    const more = await world.request("PUT", `${configMaps}/held`, {
      body: configMap("held", { finalizers: ["example.com/hold", "example.com/late"] }),
    });
    expect(more.status).toBe(422);
    expect(more.json.message).toContain(
      "no new finalizers can be added if the object is being deleted",
    );
    await world.request("PUT", `${configMaps}/held`, { body: configMap("held") });
    expect((await world.request("GET", `${configMaps}/held`)).status).toBe(404);
  });

  test("preconditions must hold", async () => {
    await create("cond");
    const wrong = await world.request("DELETE", `${configMaps}/cond`, {
      body: { preconditions: { uid: "x" } },
    });
    expect(wrong.status).toBe(409);
    expect(wrong.json.message).toContain(
      "the UID in the precondition (x) does not match the UID in record",
    );
  });

  test.each([
    ["Orphan", "orphan"],
    ["Foreground", "foregroundDeletion"],
  ])(
    "propagation policy %s leaves the finalizer %s to the garbage collector",
    async (policy, finalizer) => {
      const name = `gc-${policy.toLowerCase()}`;
      await create(name);
      const marked = await world.request("DELETE", `${configMaps}/${name}`, {
        body: { propagationPolicy: policy },
      });
      expect(marked.json.metadata.finalizers).toEqual([finalizer]);
      expect(marked.json.metadata.deletionGracePeriodSeconds).toBe(0);
    },
  );

  test("of a collection deletes what is selected", async () => {
    await create("col-a", { labels: { col: "1" } });
    await create("col-b", { labels: { col: "1" } });
    const listed = await world.request("DELETE", `${configMaps}?labelSelector=col%3D1`);
    expect(listed.json.items).toHaveLength(2);
    expect((await world.request("GET", `${configMaps}?labelSelector=col`)).json.items).toEqual([]);
  });

  test("a namespace stays until it is finalized", async () => {
    await world.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "leaving" } } });
    const marked = (await world.request("DELETE", "/api/v1/namespaces/leaving")).json;
    expect(marked.status.phase).toBe("Terminating");
    const refused = await world.request("POST", "/api/v1/namespaces/leaving/configmaps", {
      body: configMap("late"),
    });
    expect(refused.status).toBe(403);
    await world.request("PUT", "/api/v1/namespaces/leaving/finalize", {
      body: { ...marked, spec: { finalizers: [] } },
    });
    expect((await world.request("GET", "/api/v1/namespaces/leaving")).status).toBe(404);
  });
});

describe("list", () => {
  test("goes on from page to page at one revision, whatever is written meanwhile", async () => {
    await world.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "pages" } } });
    const path = "/api/v1/namespaces/pages/configmaps";
    for (const name of ["a", "b", "c", "d", "e"]) {
      await world.request("POST", path, { body: configMap(name) });
    }
    const first = (await world.request("GET", `${path}?limit=2`)).json;
    expect(first.kind).toBe("ConfigMapList");
    expect(first.metadata.remainingItemCount).toBe(3);
    await world.request("DELETE", `${path}/d`);
    await world.request("POST", path, { body: configMap("c2") });
    const rest = (await world.request("GET", `${path}?limit=9&continue=${first.metadata.continue}`))
      .json;
    expect(rest.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual([
      "c",
      "d",
      "e",
    ]);
    expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(rest.metadata.continue).toBeUndefined();
  });

  test("selects by label and by field, and says which fields it does not know", async () => {
    await create("sel", { labels: { tier: "x" } });
    const byLabel = await world.request("GET", `${configMaps}?labelSelector=tier%20in%20(x,y)`);
    expect(byLabel.json.items).toHaveLength(1);
    const byField = await world.request("GET", `${configMaps}?fieldSelector=metadata.name%3Dsel`);
    expect(byField.json.items).toHaveLength(1);
    const pods = await world.request("GET", "/api/v1/pods?fieldSelector=spec.nodeNam%3Dx");
    expect(pods.status).toBe(400);
    expect(pods.json.message).toBe("field label not supported: spec.nodeNam");
  });

  test("a version that is yet to come is a Timeout that tells to retry", async () => {
    const answer = await world.request("GET", `${configMaps}?resourceVersion=99999999`);
    expect(answer.status).toBe(504);
    expect(answer.json.message).toMatch(/^Too large resource version: 99999999, current: \d+$/);
    expect(answer.headers["retry-after"]).toBe("1");
  });

  test("as a table, and as metadata only", async () => {
    await create("shown");
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    const query = "?fieldSelector=metadata.name%3Dshown";
    const table = await world.request("GET", `${configMaps}${query}`, { headers: { accept } });
    expect(table.json.kind).toBe("Table");
    expect(table.json.rows[0].cells.slice(0, 2)).toEqual(["shown", 1]);
    const meta = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    const metadata = await world.request("GET", `${configMaps}${query}`, {
      headers: { accept: meta },
    });
    expect(metadata.json.items[0].metadata.name).toBe("shown");
    expect(metadata.json.items[0].data).toBeUndefined();
    const none = await world.request("GET", configMaps, { headers: { accept: "image/png" } });
    expect(none.status).toBe(406);
  });
});

describe("watch", () => {
  test("tells of each change once, and of what enters and leaves the selection", async () => {
    const from = (await world.request("GET", configMaps)).json.metadata.resourceVersion;
    using all = new WatchClient(world.session(), `${configMaps}?watch=1&resourceVersion=${from}`);
    using chosen = new WatchClient(
      world.session(),
      `${configMaps}?watch=1&resourceVersion=${from}&labelSelector=w%3Dyes`,
    );
    await create("w1");
    await create("w2", { labels: { w: "yes" } });
    const label = (name: string, w: string | null) =>
      world.request("PATCH", `${configMaps}/${name}`, {
        body: { metadata: { labels: { w } } },
        headers: { "content-type": "application/merge-patch+json" },
      });
    await label("w1", "yes");
    const left = await label("w2", null);
    await world.request("DELETE", `${configMaps}/w1`);
    expect(await all.take(5)).toEqual([
      "ADDED w1",
      "ADDED w2",
      "MODIFIED w1",
      "MODIFIED w2",
      "DELETED w1",
    ]);
    expect(await chosen.take(2)).toEqual(["ADDED w2", "ADDED w1"]);
    const gone = await chosen.next();
    expect(gone?.type).toBe("DELETED");
    expect(gone?.object.metadata.labels).toEqual({ w: "yes" });
    expect(gone?.object.metadata.resourceVersion).toBe(left.json.metadata.resourceVersion);
    expect(await chosen.take(1)).toEqual(["DELETED w1"]);
  });

  test("begins with what is there, and marks the end of that", async () => {
    const namespaces = "/api/v1/namespaces";
    await world.request("POST", namespaces, { body: { metadata: { name: "initial" } } });
    const path = `${namespaces}/initial/configmaps`;
    await world.request("POST", path, { body: configMap("one") });
    using watch = new WatchClient(
      world.session(),
      `${path}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    expect(await watch.take(1)).toEqual(["ADDED one"]);
    const bookmark = await watch.next();
    expect(bookmark?.type).toBe("BOOKMARK");
    expect(bookmark?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
  });

  test("ends after timeoutSeconds", async () => {
    using watch = new WatchClient(
      world.session(),
      `${configMaps}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dnone`,
    );
    expect(await watch.next()).toBeUndefined();
  });

  test("one object's watch hears of that object alone", async () => {
    using watch = new WatchClient(
      world.session(),
      `${configMaps}?watch=1&fieldSelector=metadata.name%3Dsolo`,
    );
    await create("solo-not");
    await create("solo");
    expect(await watch.take(1)).toEqual(["ADDED solo"]);
  });
});

describe("paths", () => {
  test.each([
    ["GET", "/nothing", 404],
    ["GET", "/apis/example.com/v1/things", 404],
    ["GET", "/api/v1/constructor", 404],
    ["POST", "/api/v1/configmaps", 405],
    ["PUT", configMaps, 405],
    ["GET", `${configMaps}/absent`, 404],
    ["GET", "/readyz", 200],
    ["GET", "/livez?verbose", 200],
    ["GET", "/metrics", 200],
    ["GET", "/api", 200],
    ["GET", "/apis/apps/v1", 200],
    ["GET", "/openapi/v3", 200],
  ])("%s %s is %i", async (method, path, status) => {
    const answer = await world.request(method, path, method === "GET" ? {} : { body: {} });
    expect(answer.status).toBe(status);
    if (status >= 400) expect(answer.json.kind).toBe("Status");
  });
});

describe("who asks", () => {
  test("may do what they are allowed to; whoever may impersonate acts as another", async () => {
    const session = world.session(world.certificateFor("jane", ["devs"]));
    const { ask } = await import("./api-world.ts");
    const refused = await ask(session, "GET", configMaps);
    expect(refused.status).toBe(403);
    expect(refused.json.message).toBe(
      'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"',
    );
    const asJane = await world.request("GET", configMaps, {
      headers: { "impersonate-user": "jane" },
    });
    expect(asJane.status).toBe(403);
    const climbing = await ask(session, "GET", configMaps, {
      headers: { "impersonate-user": "admin", "impersonate-group": "system:masters" },
    });
    expect(climbing.json.message).toBe(
      'configmaps is forbidden: User "jane" cannot impersonate-on:user-info:list resource "configmaps" in API group "" in the namespace "default"',
    );
    const forged = await world.request("GET", configMaps, {
      headers: { authorization: "Bearer nonsense" },
    });
    // The certificate has proved already who asks.
    expect(forged.status).toBe(200);
  });

  test("a ServiceAccount's token is one", async () => {
    const issued = await world.request(
      "POST",
      "/api/v1/namespaces/default/serviceaccounts/default/token",
      {
        body: {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: { audiences: [] },
        },
      },
    );
    expect(issued.status).toBe(201);
    expect(issued.json.status.token.split(".")).toHaveLength(3);
  });
});

test("a watch as tables that asks for what no table has is refused before it begins", async () => {
  const answer = await world.request("GET", `${configMaps}?watch=1&includeObject=Some`, {
    headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
  });
  expect(answer.status).toBe(422);
  expect(answer.json.details.causes[0].field).toBe("includeObject");
});

test("a review of no token is a BadRequest", async () => {
  const path = "/apis/authentication.k8s.io/v1/tokenreviews";
  const answer = await world.request("POST", path, { body: {} });
  expect(answer.json).toMatchObject({
    code: 400,
    message: "token is required for TokenReview in authentication",
  });
});

test("what is wrong in shape is refused as wrong, not as a failure of the server", async () => {
  const bare = await world.request("POST", "/api/v1/namespaces/default/pods", {
    body: { metadata: { name: "bare" } },
  });
  expect(bare.json).toMatchObject({ code: 422, reason: "Invalid" });
  const applied = await world.request("PATCH", `${configMaps}/odd?fieldManager=x`, {
    body: { apiVersion: { toString: 1 }, kind: [], metadata: {} },
    headers: { "content-type": "application/apply-patch+yaml" },
  });
  expect(applied.json).toMatchObject({ code: 400, reason: "BadRequest" });
  for (const query of ["", "?watch=1"]) {
    expect((await world.request("HEAD", `${configMaps}${query}`)).status).toBe(405);
  }
});

test.each(["impersonate-group", "impersonate-uid", "impersonate-extra-scopes"])(
  "%s alone is refused: the request is made as nobody",
  async (header) => {
    const answer = await world.request("GET", configMaps, { headers: { [header]: "x" } });
    expect(answer.json).toMatchObject({ code: 400, reason: "BadRequest" });
    expect(answer.json.message).toMatch(
      /^requested &user\.DefaultInfo\{Name:"", .*\} without impersonating a user name$/,
    );
  },
);
