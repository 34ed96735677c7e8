import { expect, test } from "vitest";
import { checkCronSchedule, checkTimeZone } from "./cron-schedule.ts";

test.each<[string, string | undefined]>([
  ["* * * * *", undefined],
  ["*/5 0-6,12 1,15 jan-MAR mon-fri", undefined],
  ["5/15 * ? * *", undefined],
  ["  0   0 * * 0 ", undefined],
  ["@hourly", undefined],
  ["@every 1h30m", undefined],
  ["TZ=Europe/Paris 0 0 * * *", undefined],
  ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
  ["* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["* * * * 7", "end of range (7) above maximum (6): 7"],
  ["9-3 * * * *", "beginning of range (9) beyond end of range (3): 9-3"],
  ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ["*/1/2 * * * *", "too many slashes: */1/2"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
  ["@fortnightly", "unrecognized descriptor: @fortnightly"],
  ["@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'],
  ["@every 5", 'failed to parse duration @every 5: time: missing unit in duration "5"'],
  [
    "TZ=Nowhere/Else * * * * *",
    "provided bad location Nowhere/Else: unknown time zone Nowhere/Else",
  ],
])("schedule %s", (schedule, problem) => {
  expect(checkCronSchedule(schedule)).toBe(problem);
});

test.each([
  ["Europe/Paris", undefined],
  ["Etc/GMT+5", undefined],
  ["Nowhere/Else", "unknown time zone Nowhere/Else"],
  ["+01:00", "unknown time zone +01:00"],
])("time zone %s", (zone, problem) => {
  expect(checkTimeZone(zone)).toBe(problem);
});
