import { describe, expect, test } from "vitest";
import { formatCheck, formatOf } from "./formats.ts";

describe("texts are of their formats", () => {
  test.each<readonly [string, readonly string[], readonly string[]]>([
    ["bsonobjectid", ["507f1f77bcf86cd799439011"], ["507f1f77bcf86cd79943901"]],
    [
      "uri",
      ["http://foo.bar#com", "https://a:80/b?c=d", "/path", "urn:a:b"],
      ["", "foo", "http://a b", "http://[::1"],
    ],
    ["email", ["blah@gmail.com", "A B <a@b>"], ["blah@gmail@com", "blah", "@a"]],
    [
      "hostname",
      ["github.com", "a", "1a.example.com"],
      ["github com", "a..b", `${"a".repeat(64)}.com`],
    ],
    ["ipv4", ["192.168.254.1", "010.0.0.1"], ["198.168.254.2.2", "::1", "1.2.3"]],
    ["ipv6", ["::1", "2001:db8::1", "::ffff:1.2.3.4"], ["127.0.0.1", "fe80::1%eth0"]],
    ["cidr", ["192.168.254.1/24", "::/0"], ["192.168.254.1/33", "::/129", "1.2.3.4"]],
    [
      "mac",
      ["01:02:03:04:05:06", "01-02-03-04-05-06", "0102.0304.0506"],
      ["01:02:03:04:05", "g1:02:03:04:05:06"],
    ],
    [
      "uuid",
      ["a8098c1a-f86e-11da-bd1a-00112444be1e", "A8098C1AF86E11DABD1A00112444BE1E"],
      ["not-a-uuid"],
    ],
    ["uuid3", ["bcd02e22-68f0-3046-a512-327cca9def8f"], ["bcd02e22-68f0-4046-a512-327cca9def8f"]],
    ["uuid4", ["025b0d74-00a2-4048-bf57-227c5111bb34"], ["025b0d74-00a2-4048-cf57-227c5111bb34"]],
    ["uuid5", ["886313e1-3b8a-5372-9b90-0c9aee199e5d"], ["886313e1-3b8a-4372-9b90-0c9aee199e5d"]],
    ["isbn", ["0321751043", "978-0321751041"], ["836217463"]],
    ["isbn10", ["0321751043"], ["978-0321751041"]],
    ["isbn13", ["978-0321751041"], ["978-0321751042"]],
    ["creditcard", ["4111-1111-1111-1111"], ["4111-1111-1111-1112"]],
    ["ssn", ["111-11-1111"], ["999 99 999", "111111111"]],
    ["hexcolor", ["#FFFFFF", "fff"], ["#fffffg"]],
    ["rgbcolor", ["rgb(1, 1, 255)"], ["rgb(300,1,1)"]],
    ["byte", ["ZWxpemFiZXRocG9zZXk="], ["ZWxpemFiZXRocG9zZXk", ""]],
    ["password", ["super secret!", ""], []],
    ["date", ["2014-12-15"], ["2014-02-30", "12/15/2014"]],
    ["duration", ["3 days", "1h2m", "22 ns", "0"], ["", "3", "h"]],
    [
      "date-time",
      ["2014-12-15T19:30:20.000Z", "2014-12-15t19:30:20+01:00"],
      ["2014-12-15", "2014-12-15T24:30:20Z"],
    ],
    ["datetime", ["2014-12-15T19:30:20Z"], ["now"]],
    ["k8s-short-name", ["a-b"], ["A", "-a", "a".repeat(64)]],
    ["k8s-long-name", ["a.b-c"], ["a..b", "A"]],
  ])("%s", (format, good, bad) => {
    const check = formatCheck(format);
    expect(good.filter((text) => check?.(text) !== true)).toEqual([]);
    expect(bad.filter((text) => check?.(text) !== false)).toEqual([]);
  });
});

test("a format is checked only of values that it means something to", () => {
  expect(formatOf({ type: "string", format: "uuid" })).toBe("uuid");
  expect(formatOf({ type: "integer", format: "uuid" })).toBeUndefined();
  expect(formatOf({ type: "integer", format: "int32" })).toBe("int32");
  expect(formatOf({ type: "string", format: "klingon" })).toBeUndefined();
  expect(formatOf({ type: "object", format: "uuid" })).toBeUndefined();
});

test("no text makes a check slow", () => {
  const texts = [
    "1".repeat(200_000),
    "a".repeat(200_000),
    "0".repeat(200_000),
    ":".repeat(200_000),
  ];
  const start = performance.now();
  for (const format of ["duration", "uri", "email", "hostname", "mac", "byte", "cidr", "uuid"]) {
    for (const text of texts) formatCheck(format)?.(`${text}!`);
  }
  expect(performance.now() - start).toBeLessThan(2_000);
});
