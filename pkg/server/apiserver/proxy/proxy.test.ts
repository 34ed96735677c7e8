import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { rewriteHtmlLinks } from "./html-links.ts";
import { type ProxiedName, parseProxiedName } from "./proxied-name.ts";
import { proxiedPath } from "./proxied-path.ts";
import { isProxyable } from "./proxyable-address.ts";
import { rewriteLink } from "./rewrite-link.ts";

const names: readonly [string, ProxiedName | undefined][] = [
  ["web", { scheme: "", name: "web", port: "" }],
  ["web:80", { scheme: "", name: "web", port: "80" }],
  ["web:http", { scheme: "", name: "web", port: "http" }],
  ["https:web:443", { scheme: "https", name: "web", port: "443" }],
  ["http:web:", { scheme: "http", name: "web", port: "" }],
  ["ftp:web:21", undefined],
  [":80", undefined],
  ["https::443", undefined],
  ["a:b:c:d", undefined],
];

test.each(names)("the name %s", (id, expected) => {
  expect(parseProxiedName(id)).toEqual(expected);
});

const paths: readonly [rest: string, requested: string, expected: string][] = [
  ["", "/x/proxy", ""],
  ["", "/x/proxy/", "/"],
  ["a/b", "/x/proxy/a/b", "/a/b"],
  ["a/b", "/x/proxy/a/b/", "/a/b/"],
  ["../../etc", "/x/proxy/../../etc", "/etc"],
  ["a/./b/../c", "/x/proxy/a/./b/../c", "/a/c"],
  ["a?b#c", "/x/proxy/a%3Fb%23c", "/a%3Fb%23c"],
  ["ü", "/x/proxy/%C3%BC", "/%C3%BC"],
  ["a b", "/x/proxy/a%20b", "/a%20b"],
  ["a%2Fb", "/x/proxy/a%252Fb", "/a%252Fb"],
  ["a:b@c;d,e", "/x/proxy/a:b@c;d,e", "/a:b@c;d,e"],
  ["a\r\nHost: b", "/x/proxy/a%0D%0AHost:%20b", "/a%0D%0AHost:%20b"],
];

test.each(paths)("%j of %s is asked for as %s", (rest, requested, expected) => {
  expect(proxiedPath(rest, requested)).toBe(expected);
});

test.each([
  ["10.42.0.7", true],
  ["8.8.8.8", true],
  ["fd00::7", true],
  ["::ffff:10.42.0.7", true],
  ["127.0.0.1", false],
  ["127.8.8.8", false],
  ["169.254.169.254", false],
  ["0.0.0.0", false],
  ["255.255.255.255", false],
  ["224.0.0.1", false],
  ["::1", false],
  ["::", false],
  ["fe80::1", false],
  ["ff02::1", false],
  ["::ffff:127.0.0.1", false],
  ["::ffff:169.254.169.254", false],
  ["localhost", false],
  ["", false],
])("whether %s may be dialled: %s", (address, expected) => {
  expect(isProxyable(address)).toBe(expected);
});

const context = {
  backendHost: "10.42.0.7:8080",
  requestHost: "box:6443",
  prefix: "/api/v1/namespaces/n/pods/p/proxy",
};

test.each([
  ["/login", "/api/v1/namespaces/n/pods/p/proxy/login"],
  ["/", "/api/v1/namespaces/n/pods/p/proxy/"],
  ["/a/?q=/x#y", "/api/v1/namespaces/n/pods/p/proxy/a/?q=/x#y"],
  ["http://10.42.0.7:8080/a", "/api/v1/namespaces/n/pods/p/proxy/a"],
  ["https://box:6443/a", "https://box:6443/api/v1/namespaces/n/pods/p/proxy/a"],
  ["/api/v1/namespaces/n/pods/p/proxy/a", "/api/v1/namespaces/n/pods/p/proxy/a"],
  ["a/b", "a/b"],
  ["?q", "?q"],
  ["http://elsewhere/a", "http://elsewhere/a"],
  ["//elsewhere/a", "//elsewhere/a"],
  ["mailto:a@b", "mailto:a@b"],
  ["javascript:/x/", "javascript:/x/"],
])("the link %s leads to %s", (link, expected) => {
  expect(rewriteLink(link, context)).toBe(expected);
});

test("links of a page are changed, and nothing else of it", async () => {
  const page =
    '<!DOCTYPE html>\n<html><body CLASS=x><a href="/a">1 &amp; 2</a><A HREF=b>B</A><p title="/no">/a</p><script>"/a"</script></body></html>';
  const rewritten = Readable.from([page.slice(0, 60), page.slice(60)]).pipe(
    rewriteHtmlLinks((link) => rewriteLink(link, context)),
  );
  expect(await text(rewritten)).toBe(page.replace('"/a">1', `"${context.prefix}/a">1`));
});
