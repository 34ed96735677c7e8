import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import { requestInfoOf } from "../request-info.ts";
import { flowSchemaSpecs, priorityLevelSpecs } from "./bootstrap-objects.ts";
import { estimateWidth, type Workload } from "./estimate-width.ts";
import {
  createFlowControl,
  type FlowControl,
  type FlowRequest,
  type Seat,
} from "./flow-control.ts";
import { matchesFlowSchema } from "./match-flow-schema.ts";
import { RetryAfter } from "./retry-after.ts";

const authenticated = "system:authenticated";

function requestOf(user: UserInfo, method: string, url: string): FlowRequest {
  const [path = "", search = ""] = url.split("?");
  const query = new URLSearchParams(search);
  const { signal } = new AbortController();
  return { user, query, info: requestInfoOf(method, path, query), signal };
}

const admin: UserInfo = { username: "admin", groups: ["system:masters", authenticated] };
const node: UserInfo = { username: "system:node:a", groups: ["system:nodes", authenticated] };
const scheduler: UserInfo = { username: "system:kube-scheduler", groups: [authenticated] };
const account = (namespace: string, name: string): UserInfo => ({
  username: `system:serviceaccount:${namespace}:${name}`,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, authenticated],
});
const person: UserInfo = { username: "jane", groups: [authenticated] };
const nobody: UserInfo = { username: "system:anonymous", groups: ["system:unauthenticated"] };

const pods = "/api/v1/namespaces/shop/pods";
const lease = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a";

describe("a request belongs to", () => {
  test.each([
    ["exempt", admin, "DELETE", pods],
    ["probes", nobody, "GET", "/readyz"],
    ["probes", nobody, "GET", "/livez/ping"],
    ["global-default", nobody, "GET", "/version"],
    ["system-node-high", node, "PUT", lease],
    ["system-node-high", node, "PATCH", "/api/v1/nodes/a/status"],
    ["system-nodes", node, "GET", pods],
    ["system-leader-election", scheduler, "PUT", lease],
    ["kube-scheduler", scheduler, "DELETE", lease],
    ["kube-scheduler", scheduler, "GET", pods],
    ["system-leader-election", account("kube-system", "dns"), "GET", lease],
    ["kube-system-service-accounts", account("kube-system", "dns"), "GET", pods],
    ["service-accounts", account("kube-systems", "dns"), "GET", pods],
    ["service-accounts", account("shop", "till"), "GET", "/version"],
    ["global-default", person, "POST", pods],
  ])("%s (%j %s %s)", (want, user, method, url) => {
    const { info } = requestOf(user, method, url);
    const matching = Object.entries(flowSchemaSpecs)
      .filter(([, spec]) => matchesFlowSchema(spec, user, info))
      .sort(([, a], [, b]) => a.matchingPrecedence - b.matchingPrecedence);
    expect(matching[0]?.[0]).toBe(want);
  });
});

describe("a request takes", () => {
  const workload: Workload = {
    objects: () => ({ count: 1_000, bytes: 3_000_000 }),
    watchers: () => 100,
  };
  const quiet: Workload = { ...workload, watchers: () => 9 };
  test.each([
    ["one seat", "GET", `${pods}/a`, workload, { seats: 1, finalSeats: 0, lingerMs: 0 }],
    ["seats by the bytes of a list", "GET", pods, workload, { seats: 10 }],
    ["no more than the page", "GET", `${pods}?limit=50`, workload, { seats: 2 }],
    ["one, by name", "GET", `${pods}?fieldSelector=metadata.name%3Da`, workload, { seats: 1 }],
    ["a watch's first state", "GET", `${pods}?watch=1`, workload, { seats: 10 }],
    ["one, to go on watching", "GET", `${pods}?watch=1&resourceVersion=7`, workload, { seats: 1 }],
    ["seats for the watchers told", "POST", pods, workload, { finalSeats: 10, lingerMs: 5 }],
    ["one, where few watch", "POST", pods, quiet, { seats: 1, finalSeats: 0 }],
  ])("%s (%s %s)", (_what, method, url, work, want) => {
    const { info, query } = requestOf(person, method, url);
    expect(estimateWidth(info, query, work, 0)).toMatchObject(want);
  });
});

const light: Workload = { objects: () => ({ count: 0, bytes: 0 }), watchers: () => 0 };

function controlOf(clock: ManualClock, serverSeats = 245): FlowControl {
  return createFlowControl({ clock, workload: light, serverSeats, waitMs: 15_000 });
}

async function outcome(seat: () => Seat | Promise<Seat>): Promise<unknown> {
  try {
    await seat();
    return "seated";
  } catch (caught) {
    const { reason, message, details } = caught as {
      readonly reason: string;
      readonly message: string;
      readonly details: unknown;
    };
    return { reason, message, details };
  }
}

const refusal = {
  reason: "TooManyRequests",
  message: "Too many requests, please try again later.",
  details: { retryAfterSeconds: 1 },
};

test("who floods the server waits and is refused; others and the administrator are not", async () => {
  const clock = new ManualClock();
  const control = controlOf(clock);
  const flood = Array.from({ length: 600 }, () =>
    outcome(() => control.seat(requestOf(person, "POST", pods))),
  );
  await clock.advance(0);
  const level = () => control.levels().find(({ name }) => name === "global-default");
  // 20 of 245 shares and as many seats, half of which might be lent; six queues of 50.
  expect(level()).toMatchObject({ nominalSeats: 20, waiting: 300 });
  expect(level()?.refused.get("queue-full")).toBe(600 - 300 - (level()?.currentSeats ?? 0));
  for (const user of [admin, node, account("shop", "till")]) {
    const seat = control.seat(requestOf(user, "POST", pods));
    expect(seat).not.toBeInstanceOf(Promise);
  }
  await clock.advance(15_000);
  const outcomes = await Promise.all(flood);
  expect(outcomes.filter((each) => each === "seated")).toHaveLength(level()?.executing ?? 0);
  expect(outcomes.find((each) => each !== "seated")).toEqual(refusal);
  expect(level()?.refused.get("time-out")).toBe(300);
});

test("a seat that is given back is the next one's", async () => {
  const clock = new ManualClock();
  const control = controlOf(clock);
  const seats: Seat[] = [];
  const first = Array.from({ length: 200 }, async () => {
    seats.push(await control.seat(requestOf(person, "POST", pods)));
  });
  await clock.advance(0);
  const taken = seats.length;
  for (let round = 0; seats.length < 200; round++) {
    for (const seat of seats.splice(0, taken)) seat.release();
    await clock.advance(1);
    if (round > 50) break;
    if (seats.length === 0) break;
  }
  await Promise.all(first);
  for (const seat of seats) seat.release();
  const level = control.levels().find(({ name }) => name === "global-default");
  expect(level).toMatchObject({ waiting: 0, executing: 0, seatsInUse: 0, dispatched: 200 });
});

test("a level that is wanted borrows what others do not use", async () => {
  const clock = new ManualClock();
  const control = controlOf(clock);
  const ask = () => {
    // Whoever waits is given up on later: only the demand matters here.
    void outcome(() => control.seat(requestOf(person, "POST", pods)));
  };
  for (let index = 0; index < 200; index++) ask();
  const level = () => control.levels().find(({ name }) => name === "global-default");
  const before = level()?.currentSeats ?? 0;
  await clock.advance(10_000);
  ask();
  expect(level()?.currentSeats).toBeGreaterThan(2 * before);
});

test("what is configured governs: a level of its own for one user, and none for a schema that leads nowhere", async () => {
  const clock = new ManualClock();
  const control = controlOf(clock);
  const subjects = [{ kind: "User", user: { name: "jane" } }];
  const rules = [{ subjects, nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }] }];
  const leadingTo = (name: string, matchingPrecedence: number) => ({
    name,
    uid: `uid of ${name}`,
    spec: { matchingPrecedence, priorityLevelConfiguration: { name }, rules },
  });
  control.configure({
    flowSchemas: [leadingTo("nowhere", 2), leadingTo("janes", 3)],
    priorityLevels: [
      {
        name: "janes",
        uid: "level of jane",
        spec: {
          type: "Limited",
          limited: { nominalConcurrencyShares: 245, limitResponse: { type: "Reject" } },
        },
      },
    ],
  });
  const seat = await control.seat(requestOf(person, "GET", "/version"));
  expect(seat).toMatchObject({
    flowSchemaUid: "uid of janes",
    priorityLevelUid: "level of jane",
  });
  expect(
    control
      .levels()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(["catch-all", "exempt", "janes"]);
});

test("the priority levels of every cluster name themselves in their flow schemas", () => {
  for (const { priorityLevelConfiguration } of Object.values(flowSchemaSpecs)) {
    expect(Object.keys(priorityLevelSpecs)).toContain(priorityLevelConfiguration.name);
  }
});

test("who is refused is told to wait twice as long when many are, and less when few are", () => {
  const retryAfter = new RetryAfter();
  const seen: number[] = [];
  for (let second = 0; second < 30; second++) {
    for (let refused = 0; refused < 200; refused++) retryAfter.refused(second * 1_000);
    seen.push(retryAfter.seconds);
  }
  expect(seen.slice(0, 4)).toEqual([1, 2, 2, 4]);
  expect(Math.max(...seen)).toBe(16);
  for (let second = 100; second < 400; second += 20) retryAfter.refused(second * 1_000);
  expect(retryAfter.seconds).toBe(1);
});
