import { ApiError } from "../../../api/api-error.ts";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { attributesOf } from "../attributes.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import { forbiddenError } from "../authz/forbidden.ts";
import type { Answered, Exchange } from "../exchange.ts";
import type { Hub } from "../hub.ts";
import { reply } from "../reply.ts";
import { isTrue } from "../request-info.ts";
import { readStored, type StoreDeps, type Target, validateAdmission } from "../resource-store.ts";
import type { NodeConnector } from "../streaming/node-connector.ts";
import { relayAnswer, relayUpgrade } from "../streaming/relay.ts";
import { containerOf } from "./pod-container.ts";
import type { ConnectSubresource } from "./subresource.ts";

export interface PodConnectDeps extends StoreDeps {
  readonly hub: Hub;
  readonly authorizer: Authorizer;
  readonly nodes: NodeConnector;
}

const isPod = ({ group, plural }: ResourceDefinition) => group === "" && plural === "pods";

/** `pods/log`, `exec`, `attach` and `portforward`: conversations with the kubelet of the pod's node. */
export function createPodConnects(deps: PodConnectDeps): readonly ConnectSubresource[] {
  const command = (name: "exec" | "attach"): ConnectSubresource => ({
    name,
    isOf: isPod,
    methods: ["GET", "POST"],
    async connect(exchange, target) {
      await checkConnect(deps, exchange, target, name);
      const pod = podOf(deps, target);
      const container = containerOf(pod, exchange.query.get("container") ?? "");
      const nodeName = nodeOf(pod);
      const query = streamsOf(exchange.query);
      if (name === "exec") {
        for (const word of exchange.query.getAll("command")) query.append("command", word);
      }
      const path = `/${name}/${pathOf(pod)}/${container}?${query}`;
      return await relayUpgrade(deps.nodes.kubelet(nodeName), exchange, path);
    },
  });
  return [
    command("exec"),
    command("attach"),
    {
      name: "portforward",
      isOf: isPod,
      methods: ["GET", "POST"],
      async connect(exchange, target) {
        await checkConnect(deps, exchange, target, "portforward");
        const pod = podOf(deps, target);
        const nodeName = nodeOf(pod);
        const query = new URLSearchParams();
        for (const port of exchange.query.getAll("ports")) query.append("port", port);
        const path = `/portForward/${pathOf(pod)}?${query}`;
        return await relayUpgrade(deps.nodes.kubelet(nodeName), exchange, path);
      },
    },
    {
      name: "log",
      isOf: isPod,
      methods: ["GET"],
      async connect(exchange, target) {
        const pod = podOf(deps, target);
        const query = logQuery(exchange.query);
        const container = containerOf(pod, exchange.query.get("container") ?? "");
        const nodeName = pod.spec?.nodeName ?? "";
        if (nodeName === "") return plainText(exchange, "");
        const path = `/containerLogs/${pathOf(pod)}/${container}?${query}`;
        const node = { method: "GET", path, headers: {} };
        const answer = await deps.nodes.kubelet(nodeName).fetch(node, exchange.signal);
        if ((answer.statusCode ?? 500) >= 400) throw await refusal(answer);
        return await relayAnswer(exchange, answer);
      },
    },
  ];
}

/**
 * A GET that goes on as a WebSocket can do whatever a POST can: whoever may not create may not do it either way.
 * Then admission is asked.
 */
async function checkConnect(
  deps: PodConnectDeps,
  exchange: Exchange,
  target: Target,
  subresource: string,
): Promise<void> {
  if (exchange.method === "GET") {
    const attributes = { ...attributesOf(exchange), verb: "create" };
    const decision = deps.authorizer.authorize(attributes);
    if (!decision.allowed) throw forbiddenError(attributes, decision);
  }
  await validateAdmission(deps, {
    operation: "CONNECT",
    resource: target.resource,
    subresource,
    namespace: target.namespace,
    name: target.name,
    object: undefined,
    previous: undefined,
    user: exchange.user,
    dryRun: false,
    warnings: exchange.warnings,
  });
}

function podOf(deps: PodConnectDeps, target: Target): Pod {
  // What is stored under pods is a Pod.
  return readStored(deps, target).value as unknown as Pod;
}

function nodeOf(pod: Pod): string {
  const nodeName = pod.spec?.nodeName ?? "";
  if (nodeName !== "") return nodeName;
  throw ApiError.badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
}

function pathOf({ metadata }: Pod): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** The kubelet's own words for the streams. */
function streamsOf(query: URLSearchParams): URLSearchParams {
  const words: readonly [string, string][] = [
    ["stdin", "input"],
    ["stdout", "output"],
    ["stderr", "error"],
    ["tty", "tty"],
  ];
  const streams = new URLSearchParams();
  for (const [sent, understood] of words) {
    if (isTrue(query.get(sent))) streams.set(understood, "1");
  }
  if (!["input", "output", "error"].some((stream) => streams.has(stream))) {
    throw ApiError.badRequest("you must specify at least 1 of stdin, stdout, stderr");
  }
  return streams;
}

const logCounts = ["tailLines", "limitBytes", "sinceSeconds"];
const logSwitches = ["follow", "previous", "timestamps"];

function logQuery(query: URLSearchParams): URLSearchParams {
  const passed = new URLSearchParams();
  for (const name of logSwitches) if (isTrue(query.get(name))) passed.set(name, "true");
  const errors = [];
  for (const name of logCounts) {
    const text = query.get(name);
    if (text === null || text === "") continue;
    const least = name === "tailLines" ? 0 : 1;
    if (!/^-?\d+$/.test(text))
      throw ApiError.badRequest(`${name} ${JSON.stringify(text)} is not a whole number`);
    if (Number(text) < least) {
      const detail = `must be greater than ${least === 0 ? "or equal to 0" : "0"}`;
      errors.push({ type: "Invalid value", path: name, value: Number(text), detail } as const);
    } else passed.set(name, text);
  }
  if (query.has("sinceSeconds") && query.has("sinceTime")) {
    errors.push({
      type: "Forbidden",
      path: "",
      detail: "at most one of `sinceTime` or `sinceSeconds` may be specified",
    } as const);
  }
  if (errors.length > 0) throw ApiError.invalid({ group: "", kind: "PodLogOptions" }, "", errors);
  for (const name of ["sinceTime", "stream"]) {
    const text = query.get(name);
    if (text !== null && text !== "") passed.set(name, text);
  }
  return passed;
}

function plainText(exchange: Exchange, text: string): Answered {
  return reply(exchange, 200, "text/plain", text);
}

/** A refusal of the kubelet's, in its own words. */
async function refusal(
  answer: AsyncIterable<Buffer> & { readonly statusCode?: number | undefined },
): Promise<ApiError> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  const message = Buffer.concat(chunks).toString("utf8").trim();
  switch (answer.statusCode) {
    case 400:
      return ApiError.badRequest(message);
    case 404:
      return new ApiError("NotFound", message, { details: {} });
    default:
      return new ApiError("InternalError", message, { code: answer.statusCode ?? 500 });
  }
}
