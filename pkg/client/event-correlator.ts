import { LRUCache } from "lru-cache";
import type { Clock } from "../base/clock.ts";

/** What happened to an object, before it is counted. */
export interface EventFacts {
  /** Who says so, of what: events with different subjects are never put together. */
  readonly subject: string;
  /** Narrows the subject to a part of the object, like one of its containers. */
  readonly fieldPath: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** What is to be written about it. */
export type EventVerdict =
  | { readonly action: "drop" }
  | {
      readonly action: "write";
      /** The event that counts this one has this key: a new one is created under it, a known one is updated. */
      readonly key: string;
      readonly message: string;
      readonly count: number;
      readonly firstSeenMs: number;
      /** The name under which the server knows the event; "" where it is still to be created. */
      readonly name: string;
    };

/** client-go's bounds. */
const limits = {
  rememberedKeysMax: 4_096,
  /** One who tells more about one object is not heard … */
  burstEvents: 25,
  /** … but for one more event in this time. */
  refillMs: 300_000,
  /** So many different messages with one reason become one event, … */
  similarEvents: 10,
  /** … while they come no further apart than this. */
  similarWithinMs: 600_000,
};

/** Counts what is the same, puts together what is similar, and drops what is too much, as client-go does. */
export class EventCorrelator {
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #budgets = new LRUCache<string, { tokens: number; atMs: number }>({
    max: limits.rememberedKeysMax,
  });
  readonly #similar = new LRUCache<string, { readonly messages: Set<string>; lastMs: number }>({
    max: limits.rememberedKeysMax,
  });
  readonly #known = new LRUCache<string, { count: number; firstSeenMs: number; name: string }>({
    max: limits.rememberedKeysMax,
  });

  constructor(clock: Pick<Clock, "now" | "monotonic">) {
    this.#clock = clock;
  }

  judge(facts: EventFacts): EventVerdict {
    const { key, message } = this.#group(facts);
    const seen = this.#known.get(key);
    const next =
      seen === undefined
        ? { count: 1, firstSeenMs: this.#clock.now(), name: "" }
        : { ...seen, count: seen.count + 1 };
    this.#known.set(key, next);
    if (!this.#spend(facts.subject)) return { action: "drop" };
    return { action: "write", key, message, ...next };
  }

  /** The server knows the event of `key` under `name` now; "" if it forgot it. */
  stored(key: string, name: string): void {
    const seen = this.#known.get(key);
    if (seen === undefined) return;
    this.#known.set(
      key,
      name === "" ? { count: 1, firstSeenMs: this.#clock.now(), name } : { ...seen, name },
    );
  }

  #group(facts: EventFacts): { readonly key: string; readonly message: string } {
    const { subject, type, reason, message, fieldPath } = facts;
    const now = this.#clock.monotonic();
    const similarKey = join(subject, type, reason);
    let similar = this.#similar.get(similarKey);
    if (similar === undefined || now - similar.lastMs > limits.similarWithinMs) {
      similar = { messages: new Set(), lastMs: now };
      this.#similar.set(similarKey, similar);
    }
    similar.lastMs = now;
    similar.messages.add(message);
    if (similar.messages.size < limits.similarEvents) {
      return { key: join(subject, type, reason, fieldPath, message), message };
    }
    // Make room, so that the set stays at its bound however many more come.
    for (const any of similar.messages) {
      similar.messages.delete(any);
      break;
    }
    return { key: similarKey, message: `(combined from similar events): ${message}` };
  }

  #spend(subject: string): boolean {
    const now = this.#clock.monotonic();
    const budget = this.#budgets.get(subject) ?? { tokens: limits.burstEvents, atMs: now };
    const earned = (now - budget.atMs) / limits.refillMs;
    const tokens = Math.min(limits.burstEvents, budget.tokens + earned);
    const enough = tokens >= 1;
    this.#budgets.set(subject, { tokens: enough ? tokens - 1 : tokens, atMs: now });
    return enough;
  }
}

function join(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
