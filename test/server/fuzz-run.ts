import { once } from "node:events";
import { type ClientHttp2Session, constants } from "node:http2";
import { clearInterval, setInterval } from "node:timers";
import { inspect } from "node:util";
import fc from "fast-check";
import { decodeProtobuf } from "../../pkg/api/codec/protobuf.ts";
import { parseYaml } from "../../pkg/api/codec/yaml.ts";
import type { Status } from "../../pkg/api/generated/meta-v1.generated.ts";
import { kubernetesObjectSchema } from "../../pkg/api/kubernetes-schema.ts";
import { allResources } from "../../pkg/api/registry.generated.ts";
import type { Logger } from "../../pkg/base/log.ts";
import { type ApiWorld, startApiWorld } from "./api-world.ts";
import { type FuzzRequest, requestAbout, samples } from "./fuzz-requests.ts";

/** An API server to be asked anything, with one object of many kinds. */
export interface Fuzzed extends AsyncDisposable {
  readonly world: ApiWorld;
  readonly session: ClientHttp2Session;
  /** What the server logged as its own failure. */
  readonly logged: readonly unknown[];
}

export async function startFuzzed(): Promise<Fuzzed> {
  const logged: unknown[] = [];
  const log = (_: string, fields?: unknown) => void logged.push(fields);
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: log, child: () => logger };
  const world = await startApiWorld({ logger });
  const post = async (path: string, body: object) => await world.request("POST", path, { body });
  await post("/api/v1/namespaces", { metadata: { name: "fuzz" } });
  await post("/api/v1/namespaces/fuzz/serviceaccounts", { metadata: { name: "default" } });
  for (const [path, body] of Object.entries(samples)) await post(path, body);
  await serveCustomKind(world);
  return {
    world,
    session: world.session(),
    logged,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const widgetFields = {
  size: { type: "integer", minimum: 1, default: 1 },
  port: { "x-kubernetes-int-or-string": true },
  parts: {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    items: {
      type: "object",
      required: ["name"],
      properties: { name: { type: "string" }, weight: { type: "number", nullable: true } },
    },
  },
  labels: { type: "object", additionalProperties: { type: "string", pattern: "^(a+)+$" } },
  any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  inner: {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    "x-kubernetes-preserve-unknown-fields": true,
  },
};

/** A custom kind with something of everything; there are no controllers here to establish it. */
async function serveCustomKind(world: ApiWorld): Promise<void> {
  const names = { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" };
  const schema = {
    openAPIV3Schema: {
      type: "object",
      properties: {
        spec: { type: "object", properties: widgetFields },
        status: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      },
    },
  };
  const version = { name: "v1", served: true, storage: true, schema, subresources: { status: {} } };
  const made = await world.request("POST", definitions, {
    body: {
      metadata: { name: "widgets.fuzz.example.com" },
      spec: { group: "fuzz.example.com", scope: "Namespaced", names, versions: [version] },
    },
  });
  const conditions = ["NamesAccepted", "Established"].map((type) => ({
    type,
    status: "True",
    reason: "Test",
    message: "",
    lastTransitionTime: "2026-11-21T00:00:00Z",
  }));
  const status = { acceptedNames: names, storedVersions: ["v1"], conditions };
  const established = await world.request("PUT", `${definitions}/widgets.fuzz.example.com/status`, {
    body: { ...made.json, status },
  });
  if (established.status !== 200) throw new Error(established.text);
}

/** What does not end by itself, a watch, is ended after its beginning. */
async function send(
  { session, logged }: Fuzzed,
  { method, path, query, headers, body }: FuzzRequest,
): Promise<void> {
  const separator = path.includes("?") ? "&" : "?";
  const target = `${path}${query === "" ? "" : `${separator}${query}`}`.replace(/[^!-~]/g, "_");
  const stream = session.request(
    { ":method": method, ":path": target, ...headers },
    { endStream: body === undefined },
  );
  // Bodies that nobody wants to read to their end are cut off.
  stream.on("error", () => {});
  if (body !== undefined) stream.end(body);
  const [received] = await once(stream, "response");
  const status = Number(received[":status"]);
  const what = `${status} ${method} ${target} ${JSON.stringify(headers)} ${body === undefined ? "" : Buffer.from(body).subarray(0, 2_000)}`;
  const isWatch =
    /stream=watch/.test(String(received["content-type"])) || /[?&]watch=/.test(target);
  if (status < 400 && isWatch) {
    stream.close(constants.NGHTTP2_CANCEL);
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const text = bytes.toString();
  const seen = `${what}\n${text}\n${logged.map((each) => inspect(each)).join("\n")}`;
  // Of a node, or of what stands behind a Service, that is not there.
  const nobodyThere =
    path.includes("/proxy") && (status === 503 || text.includes("no preferred addresses found"));
  if (status >= 500 && !nobodyThere) throw new Error(seen);
  if (status < 400 || method === "HEAD") return;
  const answer = statusIn(String(received["content-type"]), bytes) as Partial<Status>;
  const isRefusal = answer.kind === "Status" && answer.status === "Failure";
  if (!isRefusal || answer.code !== status || !answer.message)
    throw new Error(`no Status: ${seen}`);
}

const statusSchema = kubernetesObjectSchema("io.k8s.apimachinery.pkg.apis.meta.v1.Status");

function statusIn(contentType: string, bytes: Buffer): unknown {
  if (contentType === "application/yaml") return parseYaml(bytes, {}).value;
  if (contentType !== "application/json") return decodeProtobuf(statusSchema, bytes);
  return JSON.parse(bytes.toString());
}

/** The longest time, in ms of its own CPU, for which this thread let nothing else happen. */
function watchStalls(): { longestMs(): number; stop(): void } {
  let longest = 0;
  const spent = () => process.threadCpuUsage().user + process.threadCpuUsage().system;
  let before = spent();
  const timer = setInterval(() => {
    const now = spent();
    longest = Math.max(longest, (now - before) / 1_000);
    before = now;
  }, 1);
  return { longestMs: () => longest, stop: () => clearInterval(timer) };
}

export interface FuzzResult {
  readonly requests: number;
  readonly longestStallMs: number;
}

/**
 * Asks for a while, a few requests at a time. Throws, with the seed and the request, at an answer that is a failure of
 * the server's own, or no answer in Kubernetes' words.
 */
export async function fuzz(
  fuzzed: Fuzzed,
  options: { readonly seed: number; readonly runs: number; readonly forMs: number },
): Promise<FuzzResult> {
  const { resources } = fuzzed.world;
  const widgets = resources.all.filter(({ kind }) => kind === "Widget");
  const kinds = [...allResources, ...Array.from({ length: 10 }, () => widgets).flat()];
  const request = requestAbout(kinds);
  const stalls = watchStalls();
  let requests = 0;
  const property = fc.asyncProperty(
    fc.array(request, { minLength: 1, maxLength: 8 }),
    async (asked) => {
      requests += asked.length;
      await Promise.all(asked.map((each) => send(fuzzed, each)));
    },
  );
  try {
    await fc.assert(property, {
      seed: options.seed,
      numRuns: options.runs,
      interruptAfterTimeLimit: options.forMs,
      markInterruptAsFailure: false,
      endOnFailure: true,
    });
  } finally {
    stalls.stop();
  }
  return { requests, longestStallMs: stalls.longestMs() };
}
