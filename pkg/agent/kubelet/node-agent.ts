import { ApiError } from "../../api/api-error.ts";
import type { Node } from "../../api/generated/core-v1.generated.ts";
import { nodeResource } from "../../api/resources/node.ts";
import { type BackoffPolicy, backoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import type { ImageService } from "../cri/images.ts";
import type { RuntimeService } from "../cri/runtime.ts";
import type { Machine, MachineFacts } from "../host/machine.ts";
import { nodeConditionEvents } from "./node-condition-events.ts";
import {
  type NodeIdentity,
  type NodeObservation,
  newNode,
  nodeLabels,
  nodeStatus,
  nodeStatusChanged,
  type RuntimeCondition,
} from "./node-status.ts";

export interface NodeAgentDeps {
  readonly client: Pick<Client, "get" | "create" | "patch">;
  readonly runtime: Pick<RuntimeService, "status" | "version">;
  readonly images: Pick<ImageService, "list">;
  readonly machine: Machine;
  readonly identity: NodeIdentity;
  /** The disk that images and volumes are on. */
  readonly dataDir: string;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Registers the Node and keeps its status true. */
export interface NodeAgent extends Service {
  /** The Node as the API last answered it. */
  node(): Node | undefined;
  /** Something the status depends on has changed: look now. */
  wake(): void;
}

/** As upstream: looked at so often, told when something changed … */
const lookMs = 10_000;
/** … and so often in any case. */
const reportMs = 300_000;
const imagesMs = 60_000;
const retry: BackoffPolicy = { firstMs: 1_000, maxMs: lookMs };

export function createNodeAgent(deps: NodeAgentDeps): NodeAgent {
  const { client, identity, clock, logger } = deps;
  let node: Node | undefined;
  let facts: MachineFacts | undefined;
  let runtimeVersion: string | undefined;
  let images: NodeObservation["images"] = [];
  let imagesAtMs = Number.NEGATIVE_INFINITY;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  let wakeUp = () => {};
  let woken = false;
  /** The node that was made just now: its first conditions have not been told of. */
  let madeUid: string | undefined;

  async function observe(signal: AbortSignal): Promise<NodeObservation> {
    facts ??= await deps.machine.facts();
    const runtime = await runtimeCondition(deps.runtime, signal);
    if (runtime.ready || runtimeVersion === undefined) {
      try {
        if (runtimeVersion === undefined) {
          const version = await deps.runtime.version({ signal });
          runtimeVersion = `${version.runtimeName}://${version.runtimeVersion}`;
        }
        if (clock.monotonic() - imagesAtMs > imagesMs) {
          images = (await deps.images.list({ signal })).map((image) => ({
            names: [...image.repoDigests, ...image.repoTags],
            sizeBytes: Number(image.size),
          }));
          imagesAtMs = clock.monotonic();
        }
      } catch (caught) {
        signal.throwIfAborted();
        logger.debug("the runtime does not answer", { error: String(caught) });
      }
    }
    const use = await deps.machine.use(deps.dataDir);
    return { facts, use, runtime, images, runtimeVersion: runtimeVersion ?? "" };
  }

  async function register(seen: NodeObservation, signal: AbortSignal): Promise<Node> {
    const found = await client.get(nodeResource, identity.name, signal);
    if (found === undefined) {
      try {
        const made = await client.create(
          nodeResource,
          newNode(identity, seen, clock.now()),
          signal,
        );
        logger.info("node registered", { node: identity.name });
        madeUid = made.metadata.uid;
        return made;
      } catch (caught) {
        if (!(caught instanceof ApiError && caught.reason === "AlreadyExists")) throw caught;
        return await register(seen, signal);
      }
    }
    const labels = nodeLabels(identity, seen.facts);
    const current = Object.entries(labels).every(
      ([name, value]) => found.metadata.labels?.[name] === value,
    );
    const annotated = Object.entries(identity.annotations).every(
      ([name, value]) => found.metadata.annotations?.[name] === value,
    );
    if (current && annotated) return found;
    const patch = { metadata: { labels, annotations: identity.annotations } };
    return await client.patch(nodeResource, identity.name, { type: "merge", patch }, signal);
  }

  async function report(signal: AbortSignal): Promise<void> {
    const seen = await observe(signal);
    const known = node ?? (await register(seen, signal));
    const first = node === undefined;
    node = known;
    const before = known.status;
    const status = nodeStatus(identity, seen, before, clock.now());
    const due = clock.monotonic() - reportedAtMs > reportMs;
    if (!first && !due && !nodeStatusChanged(before, status)) return;
    try {
      node = await client.patch(
        nodeResource,
        identity.name,
        { type: "strategic", patch: { status } },
        signal,
        { subresource: "status" },
      );
    } catch (caught) {
      // Deleted by hand: it is registered again at the next look.
      if (caught instanceof ApiError && caught.reason === "NotFound") node = undefined;
      throw caught;
    }
    reportedAtMs = clock.monotonic();
    if (first) deps.recorder.event(node, "Normal", "Starting", "Starting kubelet.");
    const told = madeUid === node.metadata.uid ? [] : (before.conditions ?? []);
    madeUid = undefined;
    const news = nodeConditionEvents(told, status.conditions ?? []);
    for (const what of news) {
      deps.recorder.event(node, "Normal", what, `Node ${identity.name} status is now: ${what}`);
    }
    if (!first && news.length === 0) return;
    logger.info("node status reported", { node: identity.name, ready: seen.runtime.ready });
  }

  return {
    name: "node",
    node: () => node,
    wake() {
      woken = true;
      wakeUp();
    },
    async run(signal) {
      let failures = 0;
      while (!signal.aborted) {
        woken = false;
        let waitMs = lookMs;
        try {
          await report(signal);
          failures = 0;
        } catch (caught) {
          if (signal.aborted) return;
          failures += 1;
          waitMs = backoffMs(retry, failures);
          logger.warn("the node's status cannot be written yet", {
            error: ApiError.from(caught).message,
          });
        }
        if (woken) continue;
        const pause = new AbortController();
        wakeUp = () => pause.abort();
        await clock.sleep(waitMs, AbortSignal.any([signal, pause.signal])).catch(() => {});
        wakeUp = () => {};
      }
    },
  };
}

/** Of the runtime's conditions only these two count: newer runtimes report more. */
export async function runtimeCondition(
  runtime: Pick<RuntimeService, "status">,
  signal: AbortSignal,
): Promise<RuntimeCondition> {
  try {
    const { status } = await runtime.status({ signal, timeoutMs: 5_000 });
    const find = (type: string) => status?.conditions.find((condition) => condition.type === type);
    const own = find("RuntimeReady");
    if (own?.status !== true) return { ready: false, message: "container runtime is down" };
    const network = find("NetworkReady");
    if (network?.status === true) return { ready: true, message: "" };
    return {
      ready: false,
      message: `container runtime network not ready: NetworkReady=false reason:${network?.reason ?? ""} message:${network?.message ?? ""}`,
    };
  } catch (caught) {
    signal.throwIfAborted();
    return { ready: false, message: `container runtime is down: ${String(caught)}` };
  }
}
