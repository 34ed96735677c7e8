import { describe, expect, test } from "vitest";
import { dealHand } from "./deal-hand.ts";
import { FairQueue, type QueuedRequest, type Width } from "./fair-queue.ts";

const width = (seats: number, finalSeats = 0, lingerMs = 0): Width => ({
  seats,
  finalSeats,
  lingerMs,
});

/** A queue, and a note of who has been started, in which order. */
class Trial {
  nowMs = 0;
  readonly started: string[] = [];
  readonly queue: FairQueue;
  readonly requests = new Map<string, QueuedRequest>();

  constructor(queues: number, seatsMax: number, queueLengthMax = 50) {
    this.queue = new FairQueue({ queues, queueLengthMax }, seatsMax, 0);
  }

  enter(name: string, flow: number, wide: Width = width(1)): boolean {
    const start = () => this.started.push(name);
    const request = this.queue.enter(wide, [flow], start, this.nowMs);
    if (request !== undefined) this.requests.set(name, request);
    return request !== undefined;
  }

  finish(name: string): number {
    return this.queue.finish(this.of(name), this.nowMs);
  }

  of(name: string): QueuedRequest {
    const request = this.requests.get(name);
    if (request === undefined) throw new Error(`${name} was refused`);
    return request;
  }
}

describe("seats", () => {
  test("are taken as long as there are any, and then given to whoever waits", () => {
    const trial = new Trial(4, 2);
    for (const name of ["a", "b", "c"]) trial.enter(name, 0);
    expect(trial.started).toEqual(["a", "b"]);
    trial.finish("a");
    expect(trial.started).toEqual(["a", "b", "c"]);
    expect(trial.queue.seatsInUse).toBe(2);
  });

  test("are taken by their number", () => {
    const trial = new Trial(4, 10);
    trial.enter("wide", 0, width(8));
    trial.enter("wider", 1, width(4));
    expect(trial.started).toEqual(["wide"]);
    trial.finish("wide");
    expect(trial.started).toEqual(["wide", "wider"]);
  });

  test("that are more than there are go to one who is alone", () => {
    const trial = new Trial(4, 3);
    trial.enter("small", 0);
    trial.enter("huge", 1, width(10));
    expect(trial.started).toEqual(["small"]);
    trial.finish("small");
    trial.enter("next", 0);
    expect(trial.started).toEqual(["small", "huge"]);
    trial.finish("huge");
    expect(trial.started).toEqual(["small", "huge", "next"]);
  });

  test("are kept for a while after a request whose consequences go on", () => {
    const trial = new Trial(4, 5);
    trial.enter("write", 0, width(1, 5, 40));
    trial.enter("next", 0);
    expect(trial.finish("write")).toBe(40);
    expect(trial.started).toEqual(["write"]);
    trial.nowMs += 40;
    trial.queue.release(trial.of("write"), trial.nowMs);
    expect(trial.started).toEqual(["write", "next"]);
  });

  test("that become more start those who wait", () => {
    const trial = new Trial(4, 1);
    for (const name of ["a", "b", "c"]) trial.enter(name, 0);
    trial.queue.configure({ queues: 4, queueLengthMax: 50 }, 3, 0);
    expect(trial.started).toEqual(["a", "b", "c"]);
  });
});

describe("refused is", () => {
  test("who finds the queue full and no seat", () => {
    const trial = new Trial(2, 1, 2);
    expect(["a", "b", "c", "d"].map((name) => trial.enter(name, 0))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(trial.enter("other queue", 1)).toBe(true);
  });

  test("who finds no seat where there are no queues", () => {
    const trial = new Trial(0, 1);
    expect(trial.enter("a", 0)).toBe(true);
    expect(trial.enter("b", 0)).toBe(false);
    trial.finish("a");
    expect(trial.enter("c", 0)).toBe(true);
  });
});

test("who gives up waiting is never started, and leaves no trace", () => {
  const trial = new Trial(4, 1);
  for (const name of ["a", "b", "c"]) trial.enter(name, 0);
  expect(trial.queue.cancel(trial.of("b"), 0)).toBe(true);
  expect(trial.queue.cancel(trial.of("a"), 0)).toBe(false);
  trial.finish("a");
  trial.finish("c");
  expect(trial.started).toEqual(["a", "c"]);
  expect([trial.queue.waiting, trial.queue.executing, trial.queue.seatsInUse]).toEqual([0, 0, 0]);
});

test("a flow that asks for ten times as much gets no more than the other while both want", () => {
  const trial = new Trial(2, 4, 1_000);
  for (let index = 0; index < 1_000; index++) trial.enter(`greedy-${index}`, 0);
  for (let index = 0; index < 100; index++) trial.enter(`modest-${index}`, 1);
  // Every request lasts 10 ms.
  let served = 0;
  while (served < 150) {
    const running = trial.started.slice(served);
    trial.nowMs += 10;
    for (const name of running) {
      trial.finish(name);
      served += 1;
    }
  }
  const modest = trial.started.filter((name) => name.startsWith("modest")).length;
  expect(modest).toBeGreaterThan(70);
});

test("a flow of long requests gets no more time than one of short ones", () => {
  const trial = new Trial(2, 1, 1_000);
  const busyMs = { long: 0, short: 0 };
  for (let index = 0; index < 200; index++) {
    trial.enter(`long-${index}`, 0);
    trial.enter(`short-${index}`, 1);
  }
  for (let served = 0; served < 180; served++) {
    const name = trial.started[served] ?? "";
    const kind = name.startsWith("long") ? "long" : "short";
    const tookMs = kind === "long" ? 50 : 5;
    busyMs[kind] += tookMs;
    trial.nowMs += tookMs;
    trial.finish(name);
  }
  expect(busyMs.long / busyMs.short).toBeLessThan(1.5);
  expect(busyMs.long / busyMs.short).toBeGreaterThan(0.6);
});

test("a hand is of different queues, the same for the same flow, and hardly ever another's", () => {
  const hands = Array.from({ length: 200 }, (_, index) =>
    dealHand("service-accounts", `user-${index}`, 128, 6),
  );
  for (const hand of hands) {
    expect(new Set(hand).size).toBe(6);
    expect(Math.min(...hand)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...hand)).toBeLessThan(128);
  }
  expect(dealHand("service-accounts", "user-7", 128, 6)).toEqual(hands[7]);
  const shared = hands.slice(1).filter((hand) => hand.every((card) => hands[0]?.includes(card)));
  expect(shared).toEqual([]);
});
