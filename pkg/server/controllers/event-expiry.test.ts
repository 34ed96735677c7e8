import { expect, test } from "vitest";
import type { Event } from "../../api/generated/core-v1.generated.ts";
import { eventsToRemove, lastSeenMs } from "./event-expiry.ts";

const event = (times: Partial<Event>): Event => ({
  apiVersion: "v1",
  kind: "Event",
  metadata: {
    name: "e",
    uid: "e",
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  involvedObject: {},
  source: {},
  reportingComponent: "",
  reportingInstance: "",
  ...times,
});

test.each([
  [{}, "2026-01-01T00:00:00Z"],
  [{ lastTimestamp: "2026-01-02T00:00:00Z" }, "2026-01-02T00:00:00Z"],
  [{ eventTime: "2026-01-03T00:00:00.500000Z" }, "2026-01-03T00:00:00.500Z"],
  [
    { series: { count: 2, lastObservedTime: "2026-01-04T00:00:00.000000Z" } },
    "2026-01-04T00:00:00Z",
  ],
])("an event with %s was last seen at %s", (times, expected) => {
  expect(lastSeenMs(event(times))).toBe(Date.parse(expected));
});

test("old events are removed, and the oldest of those that are too many", () => {
  const at = (time: string) => event({ lastTimestamp: `2026-01-02T${time}Z` });
  const [old, older, early, late] = [
    at("00:00:00"),
    at("00:00:01"),
    at("01:30:00"),
    at("01:59:00"),
  ];
  const now = Date.parse("2026-01-02T02:00:00Z");
  expect(eventsToRemove([late, early, older, old], now)).toEqual([old, older]);
  expect(eventsToRemove([late, early, older, old], now, 1)).toEqual([old, older, early]);
});
