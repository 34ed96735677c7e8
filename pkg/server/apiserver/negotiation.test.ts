import { expect, test } from "vitest";
import type { ApiError } from "../../api/api-error.ts";
import {
  bodyEncoding,
  gzipThresholdBytes,
  negotiate,
  parseAccept,
  patchTypeOf,
  wantsGzip,
} from "./negotiation.ts";

const kubectl =
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
const clientGo = "application/vnd.kubernetes.protobuf,application/json";

function refusalOf(act: () => unknown): { code: number; reason: string; message: string } {
  try {
    act();
  } catch (caught) {
    const { code, reason, message } = caught as ApiError;
    return { code, reason, message };
  }
  throw new Error("it was accepted");
}

test.each([
  [undefined, { encoding: "json", as: "object" }],
  ["", { encoding: "json", as: "object" }],
  ["*/*", { encoding: "json", as: "object" }],
  ["application/*;q=0.5", { encoding: "json", as: "object" }],
  ["application/yaml", { encoding: "yaml", as: "object" }],
  [clientGo, { encoding: "protobuf", as: "object" }],
  ["text/html, application/json;q=0.1, application/yaml;q=0.9", { encoding: "yaml" }],
  [kubectl, { encoding: "json", as: "table", metaVersion: "v1" }],
  ["application/json;as=Table;v=v1beta1;g=meta.k8s.io", { as: "table", metaVersion: "v1beta1" }],
  [
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    { encoding: "protobuf", as: "metadata" },
  ],
  ["application/json;as=Table;g=example.com;v=v1,application/yaml", { encoding: "yaml" }],
  ["*/*,application/yaml", { encoding: "yaml" }],
  ["application/*, application/vnd.kubernetes.protobuf", { encoding: "protobuf" }],
  ["*", { encoding: "json", as: "object" }],
  ["application/json;v=v1,application/yaml", { encoding: "yaml" }],
  ["application/json;stream=other,application/yaml", { encoding: "yaml" }],
  ["application/json;stream=watch", { encoding: "json" }],
  ["application/json;sv=v2,application/yaml;sv=v1", { encoding: "yaml" }],
])("Accept: %s", (accept, wanted) => {
  expect(negotiate({ accept }, { tables: true })).toMatchObject(wanted);
});

test("where there is nothing to make a table of, kubectl's next wish is granted", () => {
  expect(negotiate({ accept: kubectl }, { tables: false })).toMatchObject({
    as: "object",
    contentType: "application/json",
  });
});

test.each(["text/html", "application/json;q=0", "application/json;as=Chair;g=meta.k8s.io;v=v1"])(
  "who accepts only %s is told what there is",
  (accept) => {
    expect(refusalOf(() => negotiate({ accept }, { tables: true }))).toEqual({
      code: 406,
      reason: "NotAcceptable",
      message:
        "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    });
  },
);

test("JSON is printed for people by wish, and for browsers and curl", () => {
  const pretty = (wishes: object) =>
    negotiate({ accept: "application/json", ...wishes }, { tables: true }).pretty;
  expect(pretty({})).toBe(false);
  expect(pretty({ pretty: "true" })).toBe(true);
  expect(pretty({ userAgent: "curl/8.0" })).toBe(true);
  expect(pretty({ userAgent: "curl/8.0", pretty: "0" })).toBe(false);
  expect(pretty({ userAgent: "curl/8.0", pretty: "yes" })).toBe(false);
  expect(pretty({ userAgent: "curl/8.0", pretty: "" })).toBe(true);
  expect(pretty({ accept: "application/json;pretty=1" })).toBe(true);
  expect(pretty({ accept: "application/json;pretty=true" })).toBe(false);
  expect(pretty({ userAgent: "kubectl/v1.32" })).toBe(false);
});

test("a body is JSON unless it says otherwise", () => {
  expect(bodyEncoding(undefined)).toBe("json");
  expect(bodyEncoding("application/json; charset=utf-8")).toBe("json");
  expect(bodyEncoding("application/yaml")).toBe("yaml");
  expect(refusalOf(() => bodyEncoding("text/plain"))).toEqual({
    code: 415,
    reason: "UnsupportedMediaType",
    message:
      "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  });
});

test("a patch must say which kind it is", () => {
  expect(patchTypeOf("application/apply-patch+yaml")).toBe("apply");
  expect(patchTypeOf("application/strategic-merge-patch+json;charset=utf-8")).toBe(
    "strategic-merge",
  );
  expect(refusalOf(() => patchTypeOf("application/json"))).toMatchObject({ code: 415 });
  expect(
    refusalOf(() => patchTypeOf("application/strategic-merge-patch+json", ["json", "merge"]))
      .message,
  ).toMatch(/: application\/json-patch\+json, application\/merge-patch\+json$/);
});

test("only large answers to those who take gzip are compressed", () => {
  expect(wantsGzip("gzip, deflate", gzipThresholdBytes)).toBe(true);
  expect(wantsGzip("gzip", gzipThresholdBytes - 1)).toBe(false);
  expect(wantsGzip("gzip;q=0", gzipThresholdBytes)).toBe(false);
  expect(wantsGzip(null, gzipThresholdBytes)).toBe(false);
});

test("an Accept header of any length costs little", () => {
  expect(parseAccept("a/b,".repeat(100_000)).length).toBeLessThanOrEqual(64);
});
