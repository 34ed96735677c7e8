import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allResources } from "../../pkg/api/registry.generated.ts";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld();
  await world.request("POST", configMaps, {
    body: { metadata: { name: "kept" }, data: { a: "1" } },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const configMaps = "/api/v1/namespaces/default/configmaps";
const kept = `${configMaps}/kept`;

const listOptions = 'ListOptions.meta.k8s.io "" is invalid: ';
const matchForbidden = "resourceVersionMatch: Forbidden: ";

describe("the options of lists and watches", () => {
  test.each([
    [
      "resourceVersionMatch=Exact",
      422,
      `${listOptions}${matchForbidden}resourceVersionMatch is forbidden unless resourceVersion is provided`,
    ],
    [
      "resourceVersionMatch=No&resourceVersion=1",
      422,
      `${listOptions}resourceVersionMatch: Unsupported value: "No": supported values: "Exact", "NotOlderThan", ""`,
    ],
    [
      "resourceVersionMatch=Exact&resourceVersion=0",
      422,
      `${listOptions}${matchForbidden}resourceVersionMatch "exact" is forbidden for resourceVersion "0"`,
    ],
    [
      "resourceVersionMatch=NotOlderThan&resourceVersion=1&continue=x",
      422,
      `${listOptions}${matchForbidden}resourceVersionMatch is forbidden when continue is provided`,
    ],
    [
      "sendInitialEvents=false&resourceVersionMatch=Exact",
      422,
      `${listOptions}[${matchForbidden}resourceVersionMatch is forbidden unless resourceVersion is provided, sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list]`,
    ],
    [
      "watch=1&sendInitialEvents=true",
      422,
      `${listOptions}${matchForbidden}sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
    ],
    [
      "watch=1&resourceVersionMatch=NotOlderThan",
      422,
      `${listOptions}${matchForbidden}resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided`,
    ],
    [
      "watch=1&sendInitialEvents=true&resourceVersionMatch=Exact",
      422,
      `${listOptions}[${matchForbidden}sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]`,
    ],
    [
      "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x",
      422,
      `${listOptions}${matchForbidden}resourceVersionMatch is forbidden when continue is provided`,
    ],
    ["limit=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ["limit=", 400, 'strconv.ParseInt: parsing "": invalid syntax'],
    ["watch=1&limit=1.5", 400, 'strconv.ParseInt: parsing "1.5": invalid syntax'],
    ["timeoutSeconds=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      "limit=9223372036854775808",
      400,
      'strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
    [`limit=${"9".repeat(50_000)}`, 400, undefined],
  ])("%s", async (query, status, message) => {
    const answer = await world.request("GET", `${configMaps}?${query}`);
    expect(answer.status).toBe(status);
    if (message !== undefined) expect(answer.json.message).toBe(message);
  });

  test.each(["limit=-1", "limit=9223372036854775807", "limit=%2B5", "timeoutSeconds=-1"])(
    "%s is a list",
    async (query) => {
      expect((await world.request("GET", `${configMaps}?${query}`)).status).toBe(200);
    },
  );

  test("what can be listed but not watched says so", async () => {
    const answer = await world.request("GET", "/api/v1/componentstatuses?watch=1");
    expect([answer.status, answer.json.message]).toEqual([
      405,
      'watch is not supported on resources of kind "componentstatuses"',
    ]);
  });
});

describe("the options of deletes", () => {
  const misfit = (rest: string) => `json: cannot unmarshal ${rest}`;

  test.each([
    [
      { dryRun: "All" },
      misfit("string into Go struct field DeleteOptions.dryRun of type []string"),
    ],
    [
      { gracePeriodSeconds: "1" },
      misfit("string into Go struct field DeleteOptions.gracePeriodSeconds of type int64"),
    ],
    [
      { preconditions: { uid: 1 } },
      misfit("number into Go struct field Preconditions.preconditions.uid of type types.UID"),
    ],
    [{ kind: "Pod", apiVersion: "v1" }, 'no kind "Pod" is registered for version "v1"'],
  ])("a body of %j is refused, and nothing is deleted", async (body, message) => {
    for (const path of [kept, configMaps]) {
      const answer = await world.request("DELETE", path, { body });
      expect([answer.status, answer.json.message]).toEqual([400, message]);
    }
    expect((await world.request("GET", kept)).status).toBe(200);
  });

  test.each([
    [{ propagationPolicy: "x" }, "propagationPolicy"],
    [{ propagationPolicy: "Orphan", orphanDependents: false }, "propagationPolicy"],
    [{ dryRun: ["x"] }, "dryRun"],
    [{ dryRun: [""] }, "dryRun"],
  ])("%j is Invalid, in the body and in the query", async (body, field) => {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(body)) query.set(key, String(value));
    for (const [path, options] of [
      [kept, { body }],
      [configMaps, { body }],
      [`${kept}?${query}`, {}],
      [`${configMaps}?${query}`, {}],
    ] as const) {
      const answer = await world.request("DELETE", path, options);
      expect(answer.status, path).toBe(422);
      expect(answer.json.details.causes[0].field).toBe(field);
    }
    expect((await world.request("GET", kept)).status).toBe(200);
  });

  test.each([
    { kind: "DeleteOptions", apiVersion: "v1", dryRun: ["All"] },
    { kind: "DeleteOptions", apiVersion: "apps/v1", dryRun: ["All"] },
    { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1", dryRun: ["All"], unknown: 1 },
    { dryRun: ["All"], gracePeriodSeconds: -1 },
  ])("%j are options, and leave the object", async (body) => {
    expect((await world.request("DELETE", kept, { body })).status).toBe(200);
    expect((await world.request("DELETE", configMaps, { body })).status).toBe(200);
    expect((await world.request("GET", kept)).status).toBe(200);
  });

  test("a body wins over the query, whatever that says", async () => {
    const answer = await world.request("DELETE", `${kept}?propagationPolicy=x`, {
      body: { dryRun: ["All"] },
    });
    expect(answer.status).toBe(200);
  });
});

test.each([
  ["POST", `${configMaps}?dryRun=`, undefined],
  ["PUT", `${kept}?dryRun=All&dryRun=`, undefined],
  ["PATCH", `${kept}?dryRun=`, "application/merge-patch+json"],
])("an empty dry run is no way to run: %s %s", async (method, path, type) => {
  const headers = type === undefined ? {} : { "content-type": type };
  const body = { metadata: { name: "kept" } };
  const answer = await world.request(method, path, { body, headers });
  expect(answer.status).toBe(422);
  expect(answer.json.message).toContain('supported values: "All"');
});

describe("a key that a patch says twice", () => {
  const json = "application/json-patch+json";
  const merge = "application/merge-patch+json";
  const strategic = "application/strategic-merge-patch+json";
  const apply = "application/apply-patch+yaml";
  const applied = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata: {a: '1', a: '2'}";

  test.each([
    [
      json,
      '[{"op":"add","op":"add","path":"/data","value":{"a":"1","a":"2"}}]',
      ['json patch duplicate field "[0].op"', 'json patch duplicate field "[0].value.a"'],
    ],
    [
      merge,
      '{"data":{"a":"1","a":"2"},"metadata":{"labels":{"x":"1","x":"2"}}}',
      ['duplicate field "data.a"', 'duplicate field "metadata.labels.x"'],
    ],
    [strategic, '{"data":{"a":"1","a":"2"}}', ['duplicate field "data.a"']],
    [apply, applied, [expect.stringContaining("already set in map")]],
  ])("%s", async (type, body, told) => {
    const ask = (fieldValidation: string) =>
      world.request(
        "PATCH",
        `${kept}?dryRun=All&fieldManager=m&force=${type === apply}&fieldValidation=${fieldValidation}`.replace(
          "&force=false",
          "",
        ),
        {
          body,
          headers: { "content-type": type },
        },
      );
    const warned = await ask("Warn");
    expect(warned.status).toBe(200);
    for (const each of told) {
      if (typeof each === "string")
        expect(warned.headers["warning"]).toContain(each.replaceAll('"', '\\"'));
      else expect(warned.headers["warning"]).toEqual(each);
    }
    expect((await ask("Ignore")).headers["warning"]).toBeUndefined();
    const strict = await ask("Strict");
    expect(strict.status).toBeGreaterThanOrEqual(400);
    expect(strict.json.message).toContain("strict decoding error");
  });
});

test.each([
  ["POST", "/version"],
  ["BREW", "/version"],
  ["POST", "/apis"],
  ["DELETE", "/api/v1"],
  ["PUT", "/openapi/v3/api/v1"],
  ["BREW", configMaps],
  ["OPTIONS", kept],
  ["POST", kept],
  ["PUT", configMaps],
  ["HEAD", kept],
])("%s %s is not allowed", async (method, path) => {
  expect((await world.request(method, path)).status).toBe(405);
});

test("an object of any kind that says nothing of itself, not even its name, is refused", async () => {
  const stored = allResources.filter(
    ({ verbs, storage }) => verbs.includes("create") && storage !== "none",
  );
  expect(stored.length).toBeGreaterThan(50);
  // A LimitRange without a name is given one.
  const named = "limitranges";
  for (const { group, version, plural, scope } of stored) {
    const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    const path = `${root}${scope === "namespace" ? "/namespaces/default" : ""}/${plural}`;
    for (const body of [{}, { metadata: {}, spec: {} }]) {
      const { status, text } = await world.request("POST", path, { body });
      const wanted = plural === named ? [201] : [400, 403, 422];
      expect(wanted, `${path}: ${text}`).toContain(status);
    }
  }
});
