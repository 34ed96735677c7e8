import { expect, test } from "vitest";
import { allResources } from "../api/registry.generated.ts";
import { clusterRoleResource } from "../api/resources/clusterrole.ts";
import { clusterRoleBindingResource } from "../api/resources/clusterrolebinding.ts";
import { endpointsResource } from "../api/resources/endpoints.ts";
import { namespaceResource } from "../api/resources/namespace.ts";
import { priorityClassResource } from "../api/resources/priorityclass.ts";
import { serviceResource } from "../api/resources/service.ts";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { openMemoryDatastore } from "../datastore/memory/memory-datastore.ts";
import { createAdmissionChain } from "./apiserver/admission/chain.ts";
import { createHubObjectReader } from "./apiserver/admission/hub-object-reader.ts";
import { createQuotaUsedWriter } from "./apiserver/admission/quota/quota-used-writer.ts";
import { parseAddressRange } from "./apiserver/allocate/address-range.ts";
import { createServiceAllocation } from "./apiserver/allocate/service-allocation.ts";
import { createApi } from "./apiserver/api.ts";
import { createAuthorizerChain } from "./apiserver/authz/chain.ts";
import { createObjectFeed } from "./apiserver/authz/object-feed.ts";
import { createRbacAuthorizer } from "./apiserver/authz/rbac-authorizer.ts";
import { createRbacPolicy } from "./apiserver/authz/rbac-policy.ts";
import type { Hub } from "./apiserver/hub.ts";
import { openHub } from "./apiserver/hub-store.ts";
import { ResourceTable } from "./apiserver/resource-table.ts";
import { ServedWatches } from "./apiserver/served-watches.ts";
import { bootstrapCluster } from "./bootstrap.ts";
import { createLocalClient } from "./local-client.ts";

const signal = new AbortController().signal;
const options = {
  api: { serviceAddress: "10.43.0.1", address: "192.0.2.7", port: 6443 },
  dnsAddress: "10.43.0.10",
  clientCaPem: "client CA",
  requestHeaderCaPem: "header CA",
};

function clusterOn(hub: Hub) {
  const reader = createHubObjectReader(hub);
  const feed = createObjectFeed(hub);
  const policy = createRbacPolicy(reader, feed);
  const authorizer = createAuthorizerChain([createRbacAuthorizer(policy)]);
  const admission = createAdmissionChain({
    reader,
    clock: systemClock,
    authorizer,
    policy,
    resourceOfKind: () => undefined,
    storedResources: () => allResources,
    writeQuotaUsed: createQuotaUsedWriter(hub, systemClock),
    serviceAllocation: createServiceAllocation({
      feed,
      clock: systemClock,
      addresses: parseAddressRange("10.43.0.0/16"),
      nodePorts: { first: 30000, last: 32767 },
    }),
  });
  const api = createApi({
    hub,
    clock: systemClock,
    admission,
    authorizer,
    watches: new ServedWatches(systemClock, () => hub.revision),
    resources: new ResourceTable(allResources),
    virtualResources: [],
    valueSubresources: [],
    connectSubresources: [],
  });
  const user = { username: "system:apiserver", groups: ["system:masters"] };
  const client = createLocalClient({ api, user, fieldManager: "mini8s" });
  return { client, authorizer, deps: { client, clock: systemClock, log: silentLogger } };
}

test("a new cluster has its namespaces, Services and roles; a second start writes nothing", async () => {
  await using datastore = openMemoryDatastore();
  await using hub = await openHub({ datastore });
  const { client, deps, authorizer } = clusterOn(hub);
  await bootstrapCluster(deps, options, signal);

  const namespaces = await client.list(namespaceResource, {}, signal);
  expect(namespaces.items.map(({ metadata }) => metadata.name)).toEqual([
    "default",
    "kube-node-lease",
    "kube-public",
    "kube-system",
  ]);
  const classes = await client.list(priorityClassResource, {}, signal);
  expect(classes.items.map(({ metadata, value }) => [metadata.name, value])).toEqual([
    ["system-cluster-critical", 2_000_000_000],
    ["system-node-critical", 2_000_001_000],
  ]);
  const service = await client.get(serviceResource, "default/kubernetes", signal);
  expect(service?.spec).toMatchObject({
    clusterIP: "10.43.0.1",
    clusterIPs: ["10.43.0.1"],
    ipFamilies: ["IPv4"],
    ports: [{ name: "https", port: 443, targetPort: 6443 }],
  });
  const dns = await client.get(serviceResource, "kube-system/kube-dns", signal);
  expect(dns?.spec?.clusterIP).toBe("10.43.0.10");

  const ask = (username: string, groups: string[], path: string) =>
    authorizer.authorize({ type: "path", user: { username, groups }, verb: "get", path }).allowed;
  expect(ask("system:anonymous", ["system:unauthenticated"], "/version")).toBe(true);
  expect(ask("system:anonymous", ["system:unauthenticated"], "/api")).toBe(false);
  expect(ask("jane", ["system:authenticated"], "/api")).toBe(true);

  const { revision } = hub;
  await bootstrapCluster(deps, options, signal);
  expect(hub.revision).toBe(revision);
});

test("what is missing is put back; what an administrator opened or closed stays", async () => {
  await using datastore = openMemoryDatastore();
  await using hub = await openHub({ datastore });
  const { client, deps } = clusterOn(hub);
  await bootstrapCluster(deps, options, signal);
  const get = async (name: string) => {
    const role = await client.get(clusterRoleResource, name, signal);
    if (role === undefined) throw new Error(`${name} is missing`);
    return role;
  };

  const discovery = await get("system:discovery");
  const extra = { verbs: ["get"], nonResourceURLs: ["/extra"] };
  await client.update(clusterRoleResource, { ...discovery, rules: [extra] }, signal);
  const closed = await get("system:basic-user");
  const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
  const metadata = { ...closed.metadata, annotations };
  await client.update(clusterRoleResource, { ...closed, metadata, rules: [] }, signal);
  const binding = await client.get(clusterRoleBindingResource, "system:discovery", signal);
  if (binding === undefined) throw new Error("the binding is missing");
  await client.update(clusterRoleBindingResource, { ...binding, subjects: [] }, signal);
  await client.delete(endpointsResource, "default/kubernetes", signal);

  await bootstrapCluster(
    deps,
    { ...options, api: { ...options.api, address: "192.0.2.8" } },
    signal,
  );
  const urls = (await get("system:discovery")).rules?.flatMap((rule) => rule.nonResourceURLs ?? []);
  expect(urls).toContain("/extra");
  expect(urls).toContain("/apis/*");
  expect((await get("system:basic-user")).rules ?? []).toEqual([]);
  const restored = await client.get(clusterRoleBindingResource, "system:discovery", signal);
  expect(restored?.subjects?.map(({ name }) => name)).toEqual(["system:authenticated"]);
  const endpoints = await client.get(endpointsResource, "default/kubernetes", signal);
  expect(endpoints?.subsets?.[0]?.addresses).toEqual([{ ip: "192.0.2.8" }]);
});

test("a server that only this machine reaches is nobody's endpoint, and starts all the same", async () => {
  await using datastore = openMemoryDatastore();
  await using hub = await openHub({ datastore });
  const { client, deps } = clusterOn(hub);
  const local = { ...options, api: { ...options.api, address: "127.0.0.1" } };
  await bootstrapCluster(deps, local, signal);
  const endpoints = await client.get(endpointsResource, "default/kubernetes", signal);
  expect(endpoints).not.toHaveProperty("subsets");
  const { revision } = hub;
  await bootstrapCluster(deps, local, signal);
  expect(hub.revision).toBe(revision);
});
