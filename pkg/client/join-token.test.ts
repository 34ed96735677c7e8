import { expect, test } from "vitest";
import {
  formatJoinToken,
  joinTokenAuthorization,
  joinTokenTrusts,
  parseJoinToken,
} from "./join-token.ts";

const bundle = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

test("a token made for a CA trusts that CA and no other", () => {
  const token = parseJoinToken(formatJoinToken(bundle, "node", "s3cret"));
  expect(token).toMatchObject({ username: "node", secret: "s3cret" });
  if (token === undefined) throw new Error("must parse");
  expect(joinTokenTrusts(token, bundle)).toBe(true);
  expect(joinTokenTrusts(token, `${bundle} `)).toBe(false);
});

test.each([
  ["", undefined],
  ["K10abc::node:x", undefined],
  [`K10${"a".repeat(64)}`, undefined],
  [`K10${"a".repeat(64)}::`, undefined],
  [`K10${"a".repeat(64)}::node:a:b`, { caHash: "a".repeat(64), username: "node", secret: "a:b" }],
  ["plain", { caHash: undefined, username: "node", secret: "plain" }],
  [
    ` K10${"a".repeat(64)}::server:x\n`,
    { caHash: "a".repeat(64), username: "server", secret: "x" },
  ],
  [`K10${"a".repeat(64)}::x`, { caHash: "a".repeat(64), username: "node", secret: "x" }],
])("%j reads as %j", (text, expected) => {
  expect(parseJoinToken(text)).toEqual(expected);
});

test("the secret travels as basic authentication", () => {
  const header = joinTokenAuthorization({ caHash: undefined, username: "node", secret: "p:w" });
  expect(header).toBe(`Basic ${Buffer.from("node:p:w").toString("base64")}`);
});
