import { expectStatus } from "./api-objects.ts";
import type { Http2Load } from "./http2-load.ts";

/** A token of a ServiceAccount of this name that may read everything: a client that is not exempt from flow control. */
export async function accountOf(client: Http2Load, name: string): Promise<string> {
  const post = (path: string, object: object) =>
    expectStatus(client.request("POST", path, Buffer.from(JSON.stringify(object))), 201);
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  const metadata = { name };
  await post(accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata });
  const apiGroup = "rbac.authorization.k8s.io";
  await post(`/apis/${apiGroup}/v1/clusterrolebindings`, {
    apiVersion: `${apiGroup}/v1`,
    kind: "ClusterRoleBinding",
    metadata,
    subjects: [{ kind: "ServiceAccount", name, namespace: "default" }],
    roleRef: { apiGroup, kind: "ClusterRole", name: "cluster-admin" },
  });
  const { body } = await post(`${accounts}/${name}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {},
  });
  return (JSON.parse(body.toString()) as { readonly status: { readonly token: string } }).status
    .token;
}
