import { ApiError } from "../api/api-error.ts";
import type { Event, ObjectReference } from "../api/generated/core-v1.generated.ts";
import { type KubernetesObject, type NewObject, objectKey } from "../api/object.ts";
import { eventResource } from "../api/resources/event.ts";
import { formatTime } from "../api/time.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Client } from "./client.ts";
import { EventCorrelator } from "./event-correlator.ts";

/** What an event is about: an object, or a reference to one (with `fieldPath` for a container). */
export type EventSubject = KubernetesObject | { readonly reference: ObjectReference };

/** Tells users what happens to an object. Never waits, never fails: what cannot be written is logged and dropped. */
export interface EventRecorder {
  event(subject: EventSubject, type: "Normal" | "Warning", reason: string, message: string): void;
}

/** Writes the events of all its recorders, in order, in the background. */
export interface EventBroadcaster extends Service {
  /** `component` is the source, e.g. `replicaset-controller`; `host` the node, for a node's components. */
  recorder(component: string, host?: string): EventRecorder;
}

const limits = {
  /** Beyond this many that wait to be written, new ones are dropped. */
  waitingEventsMax: 1_000,
  messageCharactersMax: 1_024,
  writeTries: 12,
  retryMs: 10_000,
};

interface Occurrence {
  readonly reference: ObjectReference;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly component: string;
  readonly host: string | undefined;
  readonly atMs: number;
}

export function createEventBroadcaster(deps: {
  readonly client: Pick<Client, "create" | "patch">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A number in [0, 1), for names that do not collide. */
  readonly random: () => number;
}): EventBroadcaster {
  const { client, clock, logger } = deps;
  const correlator = new EventCorrelator(clock);
  const waiting: Occurrence[] = [];
  let wake: (() => void) | undefined;
  /** Since the last time when there was room: told once, not for each. */
  let isDropping = false;

  /** Like client-go's: the time in nanoseconds, in hexadecimal. The clock has no nanoseconds; luck fills them in. */
  function suffix(atMs: number): string {
    const nanos = Math.floor(deps.random() * 1_000_000);
    return (BigInt(Math.floor(atMs)) * 1_000_000n + BigInt(nanos)).toString(16);
  }

  async function write(occurrence: Occurrence, signal: AbortSignal): Promise<void> {
    const { reference, component, host, type, reason } = occurrence;
    const subject = JSON.stringify([
      component,
      host,
      reference.kind,
      reference.namespace,
      reference.name,
      reference.uid,
      reference.apiVersion,
    ]);
    const verdict = correlator.judge({
      subject,
      fieldPath: reference.fieldPath ?? "",
      type,
      reason,
      message: occurrence.message,
    });
    if (verdict.action === "drop") return;
    const namespace =
      reference.namespace === undefined || reference.namespace === ""
        ? "default"
        : reference.namespace;
    if (verdict.name !== "") {
      const patch = {
        count: verdict.count,
        lastTimestamp: formatTime(occurrence.atMs),
        message: verdict.message,
      };
      try {
        const key = objectKey(namespace, verdict.name);
        await client.patch(eventResource, key, { type: "strategic", patch }, signal);
        return;
      } catch (caught) {
        if (!(caught instanceof ApiError) || caught.reason !== "NotFound") throw caught;
        // The event's time was up: what goes on is a new one.
        correlator.stored(verdict.key, "");
      }
    }
    const event: NewObject<Event> = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { namespace, name: `${reference.name ?? ""}.${suffix(occurrence.atMs)}` },
      involvedObject: reference,
      type,
      reason,
      message: verdict.message,
      count: verdict.name === "" ? verdict.count : 1,
      firstTimestamp: formatTime(verdict.name === "" ? verdict.firstSeenMs : occurrence.atMs),
      lastTimestamp: formatTime(occurrence.atMs),
      source: host === undefined ? { component } : { component, host },
      reportingComponent: component,
      reportingInstance: host ?? "",
    };
    const created = await client.create(eventResource, event, signal);
    correlator.stored(verdict.key, created.metadata.name);
  }

  async function writeWithRetries(occurrence: Occurrence, signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await write(occurrence, signal);
        return;
      } catch (caught) {
        if (signal.aborted) return;
        const error = ApiError.from(caught);
        // What the server refused, it will refuse again; only a server that was not there is asked once more.
        if (error.code < 500 || tries === limits.writeTries) {
          logger.warn("an event cannot be written and is dropped", {
            reason: occurrence.reason,
            about: `${occurrence.reference.kind} ${occurrence.reference.name}`,
            error: error.message,
          });
          return;
        }
        await clock.sleep(limits.retryMs * deps.random(), signal).catch(() => undefined);
      }
    }
  }

  return {
    name: "events",
    recorder: (component, host) => ({
      event(subject, type, reason, message) {
        if (waiting.length >= limits.waitingEventsMax) {
          if (!isDropping)
            logger.warn("too many events wait to be written, dropping some", { reason });
          isDropping = true;
          return;
        }
        isDropping = false;
        waiting.push({
          reference: "reference" in subject ? subject.reference : referenceTo(subject),
          type,
          reason,
          message: shorten(message),
          component,
          host,
          atMs: clock.now(),
        });
        wake?.();
      },
    }),
    async run(signal) {
      const stop = () => wake?.();
      signal.addEventListener("abort", stop, { once: true });
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next !== undefined) {
          await writeWithRetries(next, signal);
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
      wake = undefined;
    },
  };
}

function referenceTo(object: KubernetesObject): ObjectReference {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion,
  };
}

function shorten(message: string): string {
  if (message.length <= limits.messageCharactersMax) return message;
  return `${message.slice(0, limits.messageCharactersMax - 4)} ...`;
}
