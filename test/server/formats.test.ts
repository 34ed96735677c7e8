import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeProtobuf } from "../../pkg/api/codec/protobuf.ts";
import { parseYaml } from "../../pkg/api/codec/yaml.ts";
import { kubernetesObjectSchema } from "../../pkg/api/kubernetes-schema.ts";
import { allResources } from "../../pkg/api/registry.generated.ts";
import type { ResourceDefinition } from "../../pkg/api/resource.ts";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld();
  const seeds: readonly (readonly [string, object])[] = [
    ["/api/v1/namespaces/default/pods", pod],
    ["/apis/apps/v1/namespaces/default/deployments", deployment],
    ["/api/v1/namespaces/default/services", service],
    ["/api/v1/namespaces/default/secrets", { metadata: { name: "s" }, data: { k: "dg==" } }],
    ["/api/v1/nodes", { metadata: { name: "n" } }],
    [
      "/apis/coordination.k8s.io/v1/namespaces/default/leases",
      { metadata: { name: "l" }, spec: { renewTime: "2026-11-21T02:03:04.567890Z" } },
    ],
    [
      "/apis/rbac.authorization.k8s.io/v1/clusterroles",
      {
        metadata: { name: "r" },
        rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }],
      },
    ],
  ];
  for (const [path, body] of seeds) {
    const made = await world.request("POST", path, { body });
    expect(made.text, path).toContain('"uid"');
    expect(made.status, path).toBe(201);
  }
});
afterAll(() => world[Symbol.asyncDispose]());

const containers = [{ name: "c", image: "i" }];
const pod = { metadata: { name: "p" }, spec: { containers } };
const deployment = {
  metadata: { name: "d" },
  spec: {
    selector: { matchLabels: { a: "b" } },
    template: { metadata: { labels: { a: "b" } }, spec: { containers } },
  },
};
const service = { metadata: { name: "svc" }, spec: { ports: [{ port: 80 }] } };

const listed = allResources.filter(({ verbs }) => verbs.includes("list"));

function pathOf({ group, version, plural }: ResourceDefinition): string {
  return `${group === "" ? "/api" : `/apis/${group}`}/${version}/${plural}`;
}

interface Bytes {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

/** An answer, byte by byte; of what does not end, the beginning. */
async function fetchBytes(
  path: string,
  headers: Readonly<Record<string, string>>,
  bytesMin = Number.POSITIVE_INFINITY,
): Promise<Bytes> {
  const session = world.session();
  const stream = session.request({ ":path": path, ...headers });
  const [received] = await once(stream, "response");
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytesMin) break;
  }
  session.destroy();
  return { status: Number(received[":status"]), headers: received, bytes: Buffer.concat(chunks) };
}

const protobuf = "application/vnd.kubernetes.protobuf";
const magic = Buffer.from("k8s\0");
const as = (what: string, type = "application/json") => `${type};as=${what};v=v1;g=meta.k8s.io`;

describe.each(listed.map((resource) => [pathOf(resource), resource] as const))(
  "%s",
  (path, resource) => {
    test("as a table", async () => {
      const { json } = await world.request("GET", path, { headers: { accept: as("Table") } });
      expect(json).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
      expect(json.columnDefinitions[0].name.length).toBeGreaterThan(0);
      for (const row of json.rows) {
        expect(row.cells).toHaveLength(json.columnDefinitions.length);
        expect(row.object.kind).toBe("PartialObjectMetadata");
      }
    });

    test("as metadata, in JSON and in protobuf", async () => {
      const accept = as("PartialObjectMetadataList");
      const { json } = await world.request("GET", path, { headers: { accept } });
      expect(json.kind).toBe("PartialObjectMetadataList");
      for (const item of json.items) {
        expect(item.kind).toBe("PartialObjectMetadata");
        expect(Object.keys(item).sort()).toEqual(["apiVersion", "kind", "metadata"]);
      }
      const binary = await fetchBytes(path, {
        accept: as("PartialObjectMetadataList", protobuf),
      });
      expect(binary.headers["content-type"]).toBe(protobuf);
      expect(binary.bytes.subarray(0, 4)).toEqual(magic);
    });

    test("as YAML", async () => {
      const { status, headers, text } = await world.request("GET", path, {
        headers: { accept: "application/yaml" },
      });
      expect([status, headers["content-type"]]).toEqual([200, "application/yaml"]);
      expect(text).toContain(`kind: ${resource.kind}List`);
    });

    test("in protobuf, each object as it is in JSON", async () => {
      const list = await fetchBytes(path, { accept: protobuf });
      expect(list.bytes.subarray(0, 4)).toEqual(magic);
      const { items } = (await world.request("GET", path)).json;
      for (const { metadata } of items) {
        const place = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
        const own = `${path.slice(0, path.lastIndexOf("/"))}${place}/${resource.plural}/${metadata.name}`;
        const one = await fetchBytes(own, { accept: protobuf });
        const json = (await world.request("GET", own)).json;
        expect(decodeProtobuf(resource.schema.object, one.bytes)).toEqual(json);
      }
    });

    if (!resource.verbs.includes("watch")) return;
    test.each([
      ["JSON", "application/json", "application/json"],
      ["protobuf", protobuf, `${protobuf};stream=watch`],
      ["tables", as("Table"), "application/json;stream=watch"],
      ["metadata", as("PartialObjectMetadata"), "application/json;stream=watch"],
      ["metadata in protobuf", as("PartialObjectMetadata", protobuf), `${protobuf};stream=watch`],
    ])("watched as %s, up to the bookmark", async (_, accept, contentType) => {
      const query =
        "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
      const watch = await fetchBytes(`${path}${query}`, { accept }, 1);
      expect(watch.status).toBe(200);
      expect(watch.headers["content-type"]).toBe(contentType);
      expect(watch.bytes.toString("latin1")).toContain("k8s.io/initial-events-end");
    });
  },
);

describe("a refusal", () => {
  const missing = "/api/v1/namespaces/default/pods/missing";
  const status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: 'pods "missing" not found',
    reason: "NotFound",
    details: { name: "missing", kind: "pods" },
    code: 404,
  };

  test.each([
    ["", "application/json"],
    ["application/json", "application/json"],
    ["application/yaml", "application/yaml"],
    [protobuf, protobuf],
    // A Status is no row of a table, nor is there metadata of it: the next wish counts.
    [`${as("Table")},application/yaml`, "application/yaml"],
    [`${as("PartialObjectMetadata", protobuf)},${protobuf}`, protobuf],
    [as("Table"), "application/json"],
  ])("for those who accept %j comes as %s", async (accept, contentType) => {
    const { status: code, headers, bytes } = await fetchBytes(missing, { accept });
    expect([code, headers["content-type"]]).toEqual([404, contentType]);
    if (contentType === protobuf) {
      const schema = kubernetesObjectSchema("io.k8s.apimachinery.pkg.apis.meta.v1.Status");
      expect(decodeProtobuf(schema, bytes)).toEqual(status);
    } else if (contentType === "application/yaml") {
      expect(parseYaml(bytes, {}).value).toEqual(status);
    } else expect(JSON.parse(bytes.toString())).toEqual(status);
  });

  test("of a form that there is none of comes in JSON for people, and names the forms", async () => {
    const answer = await world.request("GET", missing, { headers: { accept: "text/html" } });
    expect(answer.status).toBe(406);
    expect(answer.text).toBe(JSON.stringify(answer.json, null, 2));
    expect(answer.json.message).toBe(
      "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    );
  });

  test("of a watch in YAML names the forms of a watch", async () => {
    const accept = "application/yaml";
    const path = "/api/v1/pods?watch=1";
    const answer = await world.request("GET", path, { headers: { accept } });
    expect([answer.status, answer.headers["content-type"]]).toEqual([406, accept]);
    expect(parseYaml(Buffer.from(answer.text), {}).value).toMatchObject({
      reason: "NotAcceptable",
      message:
        "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
    });
  });
});

describe("gzip", () => {
  const path = "/api/v1/namespaces/default/configmaps";
  const gzip = { "accept-encoding": "gzip" };

  test("a long object and long lists are compressed for those who can read it, short ones are not", async () => {
    const data = { text: "mini".repeat(60_000) };
    for (const name of ["big-1", "big-2", "big-3"]) {
      await world.request("POST", path, { body: { metadata: { name }, data } });
    }
    const one = await fetchBytes(`${path}/big-1`, gzip);
    expect(one.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
    expect(JSON.parse(gunzipSync(one.bytes).toString()).data).toEqual(data);
    for (const accept of ["application/json", protobuf, "application/yaml"]) {
      const list = await fetchBytes(path, { ...gzip, accept });
      expect(list.headers["content-encoding"]).toBe("gzip");
      const plain = await fetchBytes(path, { accept });
      expect(plain.headers["content-encoding"]).toBeUndefined();
      expect(gunzipSync(list.bytes).equals(plain.bytes), accept).toBe(true);
      expect(list.bytes.length).toBeLessThan(plain.bytes.length / 10);
    }
    const short = await fetchBytes("/api/v1/namespaces", gzip);
    expect(short.headers["content-encoding"]).toBeUndefined();
  });
});
