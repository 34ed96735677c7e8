import { once } from "node:events";
import { expect, test } from "vitest";
import { flowSchemaResource } from "../../pkg/api/resources/flowschema.ts";
import { systemClock } from "../../pkg/base/clock.ts";
import { silentLogger } from "../../pkg/base/log.ts";
import { createObjectFeed } from "../../pkg/server/apiserver/authz/object-feed.ts";
import { createFlowObjectKeeper } from "../../pkg/server/bootstrap/flow-objects.ts";
import { allowEverything } from "./allow-everything.ts";
import { type ApiWorld, ask, startApiWorld } from "./api-world.ts";

const flowControl = "/apis/flowcontrol.apiserver.k8s.io/v1";
const schemas = `${flowControl}/flowschemas`;

/** Keeps the objects of flow control until it is disposed of. */
function keeping(world: ApiWorld): AsyncDisposable {
  const stop = new AbortController();
  const keeper = createFlowObjectKeeper({
    client: world.client,
    feed: createObjectFeed(world.hub),
    clock: systemClock,
    log: silentLogger,
  });
  const running = keeper.run(stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

/** Asks until the answer is as wanted: what follows an object follows it within a moment. */
async function until<T>(ask: () => Promise<T>, isWanted: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (isWanted(value)) return value;
  }
}

interface Schema {
  readonly metadata: { readonly uid: string };
  readonly spec: { readonly matchingPrecedence: number };
  readonly status?: { readonly conditions?: readonly { readonly status: string }[] };
}

test("every cluster has upstream's flow schemas and levels; who says so may have them otherwise", async () => {
  await using world = await startApiWorld();
  await using _keeping = keeping(world);
  const get = async (name: string) =>
    (await world.request("GET", `${schemas}/${name}`)).json as Schema;
  const names = async (plural: string) => {
    const { json } = await world.request("GET", `${flowControl}/${plural}`);
    return json.items.map((item: { metadata: { name: string } }) => item.metadata.name) as string[];
  };
  await until(
    () => get("system-nodes"),
    (schema) => schema.status?.conditions?.[0]?.status === "False",
  );
  expect(await names("flowschemas")).toEqual([
    "catch-all",
    "exempt",
    "global-default",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-system-service-accounts",
    "probes",
    "service-accounts",
    "system-leader-election",
    "system-node-high",
    "system-nodes",
  ]);
  expect(await names("prioritylevelconfigurations")).toEqual([
    "catch-all",
    "exempt",
    "global-default",
    "leader-election",
    "node-high",
    "system",
    "workload-high",
    "workload-low",
  ]);

  const merge = { "content-type": "application/merge-patch+json" };
  const precedence = (matchingPrecedence: number) => ({ spec: { matchingPrecedence } });
  await world.request("PATCH", `${schemas}/probes`, { headers: merge, body: precedence(77) });
  await until(
    () => get("probes"),
    ({ spec }) => spec.matchingPrecedence === 2,
  );
  const annotations = { "apf.kubernetes.io/autoupdate-spec": "false" };
  const body = { metadata: { annotations }, ...precedence(78) };
  await world.request("PATCH", `${schemas}/probes`, { headers: merge, body });
  await world.request("DELETE", `${schemas}/system-nodes`);
  await until(
    () => get("system-nodes"),
    (schema) => schema.status?.conditions?.[0]?.status === "False",
  );
  expect((await get("probes")).spec.matchingPrecedence).toBe(78);
});

test("a flow schema whose level is not there says so, and takes no requests", async () => {
  await using world = await startApiWorld();
  await using _keeping = keeping(world);
  const schema = {
    apiVersion: "flowcontrol.apiserver.k8s.io/v1",
    kind: "FlowSchema",
    metadata: { name: "lost" },
    spec: {
      matchingPrecedence: 5,
      priorityLevelConfiguration: { name: "nowhere" },
      rules: [
        {
          subjects: [{ kind: "User", user: { name: "jane" } }],
          nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
        },
      ],
    },
  };
  await world.request("POST", schemas, { body: schema });
  const told = await until(
    async () => (await world.request("GET", `${schemas}/lost`)).json,
    ({ status }) => status.conditions !== undefined,
  );
  expect(told.status.conditions[0]).toMatchObject({
    type: "Dangling",
    status: "True",
    reason: "NotFound",
    message:
      'This FlowSchema references the PriorityLevelConfiguration object named "nowhere" but there is no such object',
  });
  const session = world.session(world.certificateFor("jane", []));
  const { headers } = await until(
    () => ask(session, "GET", "/version"),
    (answer) => answer.headers["x-kubernetes-pf-flowschema-uid"] !== undefined,
  );
  const wanted = await world.client.get(
    flowSchemaResource,
    "global-default",
    AbortSignal.timeout(1_000),
  );
  expect(headers["x-kubernetes-pf-flowschema-uid"]).toBe(wanted?.metadata.uid);
});

test("who asks too much at once waits and is then told to come again, before a byte of a body is read", async () => {
  // Of 7 seats, a stranger's level has one; whoever waits does so for a tenth of a second.
  await using world = await startApiWorld({ flowControl: { serverSeats: 7, waitMs: 100 } });
  await allowEverything(world, "jane");
  const session = world.session(world.certificateFor("jane", []));
  const path = "/api/v1/namespaces/default/configmaps";
  // One that takes the seat and does not say what it wants …
  const slow = session.request({ ":method": "POST", ":path": path }, { endStream: false });
  slow.on("error", () => {});
  slow.write("{");
  await ask(session, "GET", "/livez");
  // … and one that has to wait for it, whatever it sends.
  const next = session.request({ ":method": "POST", ":path": path }, { endStream: false });
  next.on("error", () => {});
  next.write('{"no JSON":');
  const [answer] = await once(next, "response");
  expect(answer[":status"]).toBe(429);
  expect(answer["retry-after"]).toBe("1");
  const chunks: Buffer[] = [];
  for await (const chunk of next) chunks.push(chunk);
  expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "Too many requests, please try again later.",
    reason: "TooManyRequests",
    details: { retryAfterSeconds: 1 },
    code: 429,
  });
  // The administrator, and whoever looks whether the server lives, are not kept waiting.
  expect((await world.request("GET", "/version")).status).toBe(200);
  expect((await ask(session, "GET", "/readyz")).status).toBe(200);
  slow.close();
  const answered = await until(
    () => ask(session, "GET", "/version"),
    ({ status }) => status !== 429,
  );
  expect(answered.status).toBe(200);
});
