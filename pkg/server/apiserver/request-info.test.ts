import { expect, test } from "vitest";
import { requestInfoOf } from "./request-info.ts";

const resources: readonly [string, string, string][] = [
  // method, URL, "verb group/version namespace resource name subresource rest"
  ["GET", "/api/v1/namespaces", "list /v1 - namespaces - - -"],
  ["GET", "/api/v1/namespaces/other", "get /v1 other namespaces other - -"],
  ["PUT", "/api/v1/namespaces/other/finalize", "update /v1 other namespaces other finalize -"],
  ["PUT", "/api/v1/namespaces/other/status", "update /v1 other namespaces other status -"],
  ["GET", "/api/v1/namespaces/other/pods", "list /v1 other pods - - -"],
  ["GET", "/api/v1/namespaces/other/pods/foo", "get /v1 other pods foo - -"],
  ["HEAD", "/api/v1/namespaces/other/pods/foo", "get /v1 other pods foo - -"],
  ["GET", "/api/v1/pods", "list /v1 - pods - - -"],
  ["GET", "/api/v1/pods?watch=true", "watch /v1 - pods - - -"],
  ["GET", "/api/v1/pods?watch=1", "watch /v1 - pods - - -"],
  ["GET", "/api/v1/pods?watch=false", "list /v1 - pods - - -"],
  ["GET", "/api/v1/pods?watch=0", "list /v1 - pods - - -"],
  ["GET", "/api/v1/watch/pods", "watch /v1 - pods - - -"],
  ["GET", "/api/v1/watch/namespaces/other/pods", "watch /v1 other pods - - -"],
  ["POST", "/api/v1/namespaces/other/pods", "create /v1 other pods - - -"],
  ["PUT", "/api/v1/namespaces/other/pods/foo", "update /v1 other pods foo - -"],
  ["PATCH", "/api/v1/namespaces/other/pods/foo", "patch /v1 other pods foo - -"],
  ["DELETE", "/api/v1/namespaces/other/pods/foo", "delete /v1 other pods foo - -"],
  ["DELETE", "/api/v1/namespaces/other/pods", "deletecollection /v1 other pods - - -"],
  ["DELETE", "/api/v1/nodes", "deletecollection /v1 - nodes - - -"],
  ["GET", "/api/v1/namespaces/other/pods/foo/log", "get /v1 other pods foo log -"],
  ["GET", "/api/v1/namespaces/o/pods/foo/proxy/a/b", "get /v1 o pods foo proxy a/b"],
  ["GET", "/apis/apps/v1/namespaces/other/replicasets", "list apps/v1 other replicasets - - -"],
  ["GET", "/apis/apps/v1/deployments/", "list apps/v1 - deployments - - -"],
  [
    "PUT",
    "/apis/apps/v1/namespaces/o/deployments/d/scale",
    "update apps/v1 o deployments d scale -",
  ],
  [
    "GET",
    "/api/v1/namespaces/o/pods?fieldSelector=metadata.name%3Dfoo&watch=1",
    "watch /v1 o pods foo - -",
  ],
  ["GET", "/api/v1/namespaces/o/pods/foo?watch=1", "get /v1 o pods foo - -"],
  ["OPTIONS", "/api/v1/pods", " /v1 - pods - - -"],
  ["GET", "/api/v1/constructor", "list /v1 - constructor - - -"],
  [
    "GET",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
    "get rbac.authorization.k8s.io/v1 - clusterroles system:node - -",
  ],
];

test.each(resources)("%s %s asks for a resource", (method, url, expected) => {
  const [path = "", query] = url.split("?");
  const info = requestInfoOf(method, path, new URLSearchParams(query));
  expect(info.type).toBe("resource");
  if (info.type !== "resource") return;
  const told = [
    info.verb,
    `${info.group}/${info.version}`,
    ...[info.namespace, info.resource, info.name, info.subresource, info.rest].map(
      (part) => part || "-",
    ),
  ];
  expect(told.join(" ")).toBe(expected);
});

test.each([
  ["GET", "/"],
  ["GET", "/healthz"],
  ["GET", "/api"],
  ["GET", "/api/v1"],
  ["GET", "/apis"],
  ["GET", "/apis/apps"],
  ["GET", "/apis/apps/v1"],
  ["GET", "/openapi/v3/apis/apps/v1"],
  ["POST", "/api/v1/%zz"],
])("%s %s asks for a path", (method, path) => {
  expect(requestInfoOf(method, path, undefined)).toEqual({
    type: "path",
    path,
    verb: method.toLowerCase(),
  });
});
