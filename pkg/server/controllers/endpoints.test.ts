import { expect, test } from "vitest";
import type { Pod, Service } from "../../api/generated/core-v1.generated.ts";
import { planEndpoints } from "./endpoints.ts";

const metadata = (name: string) => ({
  name,
  namespace: "default",
  uid: name,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
});

function service(spec: Partial<Service["spec"]> = {}): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata("web"), labels: { team: "x" } },
    spec: {
      clusterIP: "10.43.0.9",
      ipFamilies: ["IPv4"],
      ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }],
      ...spec,
    },
    status: {} as Service["status"],
  };
}

function pod(index: number, ready = true): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadata(`p${index}`),
    spec: { nodeName: "a", containers: [], hostname: "db-0", subdomain: "web" },
    status: {
      phase: "Running",
      podIPs: [{ ip: `10.42.${index >> 8}.${index & 255}` }],
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  };
}

const ips = (addresses: readonly { readonly ip: string }[] | undefined) =>
  addresses?.map(({ ip }) => ip);

test("pods that are ready are apart from those that are not", () => {
  const { subsets, labels, isTruncated } = planEndpoints(service(), [
    pod(2),
    pod(1),
    pod(3, false),
  ]);
  expect(subsets).toEqual([
    {
      addresses: [
        expect.objectContaining({ ip: "10.42.0.1", nodeName: "a", hostname: "db-0" }),
        expect.objectContaining({ ip: "10.42.0.2" }),
      ],
      notReadyAddresses: [
        expect.objectContaining({
          ip: "10.42.0.3",
          targetRef: { kind: "Pod", namespace: "default", name: "p3", uid: "p3" },
        }),
      ],
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    },
  ]);
  expect(labels).toEqual({
    team: "x",
    "endpoints.kubernetes.io/managed-by": "endpoint-controller",
  });
  expect(isTruncated).toBe(false);
});

test("pods that end are left out, unless the service asks for all", () => {
  const ending = {
    ...pod(1),
    metadata: { ...metadata("p1"), deletionTimestamp: "2026-01-01T00:00:00Z" },
  };
  expect(planEndpoints(service(), [ending]).subsets).toEqual([]);
  const all = service({ publishNotReadyAddresses: true });
  expect(ips(planEndpoints(all, [ending]).subsets[0]?.addresses)).toEqual(["10.42.0.1"]);
});

test("beyond a thousand addresses those that are not ready are the first to be left out", () => {
  const pods = Array.from({ length: 1_200 }, (_, index) => pod(index, index >= 600));
  const { subsets, isTruncated } = planEndpoints(service(), pods);
  expect(isTruncated).toBe(true);
  expect([subsets[0]?.addresses?.length, subsets[0]?.notReadyAddresses?.length]).toEqual([
    600, 400,
  ]);
});

test("a headless service without ports still names its pods", () => {
  const { subsets, labels } = planEndpoints(service({ clusterIP: "None", ports: [] }), [pod(1)]);
  expect(ips(subsets[0]?.addresses)).toEqual(["10.42.0.1"]);
  expect(subsets[0]?.ports).toBeUndefined();
  expect(labels).toHaveProperty(["service.kubernetes.io/headless"], "");
});
