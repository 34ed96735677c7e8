import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { EventCorrelator } from "./event-correlator.ts";

const about = (message: string, subject = "pod") => ({
  subject,
  fieldPath: "",
  type: "Normal",
  reason: "Started",
  message,
});

test("the same event is counted under one name", () => {
  const correlator = new EventCorrelator(new ManualClock());
  const first = correlator.judge(about("x"));
  expect(first).toMatchObject({ action: "write", count: 1, name: "", message: "x" });
  if (first.action === "write") correlator.stored(first.key, "pod.1");
  expect(correlator.judge(about("x"))).toMatchObject({ count: 2, name: "pod.1" });
  expect(correlator.judge(about("x", "other"))).toMatchObject({ count: 1, name: "" });
});

test("the tenth message with one reason is combined with the next ones, for ten minutes", async () => {
  const clock = new ManualClock();
  const correlator = new EventCorrelator(clock);
  for (let index = 1; index < 10; index++) {
    expect(correlator.judge(about(String(index)))).toMatchObject({
      message: String(index),
      count: 1,
    });
  }
  expect(correlator.judge(about("10"))).toMatchObject({
    message: "(combined from similar events): 10",
    count: 1,
  });
  expect(correlator.judge(about("11"))).toMatchObject({
    message: "(combined from similar events): 11",
    count: 2,
  });
  await clock.advance(600_001);
  expect(correlator.judge(about("12"))).toMatchObject({ message: "12", count: 1 });
});

test("a subject may say 25 things at once, and then one every five minutes", async () => {
  const clock = new ManualClock();
  const correlator = new EventCorrelator(clock);
  const actions = Array.from({ length: 27 }, () => correlator.judge(about("x")).action);
  expect(actions).toEqual([...Array(25).fill("write"), "drop", "drop"]);
  await clock.advance(300_000);
  expect(correlator.judge(about("x"))).toMatchObject({ action: "write", count: 28 });
  expect(correlator.judge(about("x")).action).toBe("drop");
});
