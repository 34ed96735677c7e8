import { describe, expect, test } from "vitest";
import { createdFromYaml, problemsOf } from "../../../test/support/decode-yaml.ts";
import type { Event as CoreEvent } from "../generated/core-v1.generated.ts";
import type { Event } from "../generated/events-v1.generated.ts";
import type { FieldError } from "../resource.ts";
import { eventResource } from "./event.ts";
import { eventsEventResource } from "./event-events.ts";

const core = (rest: string, namespace = "team"): CoreEvent =>
  createdFromYaml(
    eventResource,
    `{apiVersion: v1, kind: Event, metadata: {name: e, namespace: ${namespace}}, ${rest}}`,
  );

const newer = (rest: string): Event =>
  createdFromYaml(
    eventsEventResource,
    `{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: e, namespace: team}, ${rest}}`,
  );

const told =
  "eventTime: '2026-01-01T00:00:00.000001Z', reportingController: a.io/b, reportingInstance: b-1, action: Try, reason: Tried, type: Normal, regarding: {kind: Pod, name: web, namespace: team}, note: it was tried";

function shown(errors: readonly FieldError[] | undefined): readonly string[] {
  return (errors ?? []).map(
    ({ path, type, detail }) => `${path}: ${type}${detail === "" ? "" : `: ${detail}`}`,
  );
}

const misplaced = "involvedObject.namespace: Invalid value: does not match event.namespace";

describe("an event of the core group", () => {
  test.each<[string, string, string[]]>([
    ["team", "involvedObject: {namespace: team}", []],
    ["team", "involvedObject: {namespace: other}", [misplaced]],
    ["default", "involvedObject: {kind: Node}", []],
    ["team", "involvedObject: {kind: Node}", [misplaced]],
    [
      "kube-system",
      "eventTime: '2026-01-01T00:00:00.000000Z', involvedObject: {kind: Node}",
      [
        "reportingComponent: Required value",
        "reportingComponent: Invalid value: name part must be non-empty",
        "reportingComponent: Invalid value: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        "reportingInstance: Required value",
        "action: Required value",
        "reason: Required value",
      ],
    ],
  ])("in %s: {%s}", (namespace, rest, expected) => {
    expect(problemsOf(eventResource, core(rest, namespace))).toEqual(expected);
  });
});

describe("an event of events.k8s.io", () => {
  test("is stored as the core group's, and shown again as it was", () => {
    const event = newer(told);
    const stored = eventsEventResource.toStored?.(event);
    expect(stored).toMatchObject({
      apiVersion: "v1",
      kind: "Event",
      involvedObject: { kind: "Pod", name: "web", namespace: "team" },
      message: "it was tried",
      reportingComponent: "a.io/b",
      source: {},
    });
    expect(stored === undefined ? undefined : eventsEventResource.fromStored?.(stored)).toEqual(
      event,
    );
  });

  test("is chosen by its own names", () => {
    const fields = eventsEventResource.selectableFields;
    expect(fields["regarding.name"]?.(newer(told))).toBe("web");
    expect(fields["reportingController"]?.(newer(told))).toBe("a.io/b");
    expect(fields["involvedObject.name"]).toBe(undefined);
  });

  test.each<[string, string[]]>([
    [told, []],
    [
      told
        .replace("type: Normal", "type: Odd")
        .replace("eventTime: '2026-01-01T00:00:00.000001Z',", ""),
      ["eventTime: Required value", "type: Invalid value: has invalid value: Odd"],
    ],
    [
      `${told}, series: {count: 1, lastObservedTime: '2026-01-01T00:00:00.000001Z'}, deprecatedCount: 3, deprecatedSource: {host: a}`,
      [
        "series.count: Invalid value: should be at least 2",
        "count: Invalid value: needs to be unset",
        "source: Invalid value: needs to be unset",
      ],
    ],
  ])("is new: {%s}", (rest, expected) => {
    expect(shown(eventsEventResource.validateCreate?.(newer(rest)))).toEqual(expected);
  });

  test("is reported under the name that its version has for it", () => {
    const unsigned = told.replace("reportingController: a.io/b, ", "");
    expect(problemsOf(eventsEventResource, newer(unsigned))[0]).toBe(
      "reportingController: Required value",
    );
  });

  test("only ever gets another series", () => {
    const before = newer(told);
    const series = { count: 2, lastObservedTime: "2026-01-01T00:00:01.000000Z" };
    expect(eventsEventResource.validateUpdate?.({ ...before, series }, before)).toEqual([]);
    expect(
      shown(eventsEventResource.validateUpdate?.({ ...before, note: "other" }, before)),
    ).toEqual(["message: Invalid value: field is immutable"]);
  });

  test("is shown as the core group's", () => {
    const row = eventsEventResource.columns.map((column) =>
      column.cell(newer(told), Date.parse("2026-01-01T00:00:59.500Z")),
    );
    expect(row.slice(0, 4)).toEqual(["59s", "Normal", "Tried", "pod/web"]);
  });
});
