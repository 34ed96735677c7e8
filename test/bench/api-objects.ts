import type { Answer, Http2Load } from "./http2-load.ts";

export const configMapsPath = "/api/v1/namespaces/default/configmaps";
export const podsPath = "/api/v1/namespaces/default/pods";

/** A ConfigMap of about `bytes` as it is sent. */
export function configMap(name: string, bytes: number): Buffer {
  const data = { text: "x".repeat(Math.max(1, bytes - 100)) };
  return Buffer.from(
    JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data }),
  );
}

/** A small pod that no scheduler takes; with its defaults, its token's volume and its managedFields it is stored as 2 kB. */
export function unscheduledPod(name: string): Buffer {
  return podOf(name, {
    schedulerName: "bench",
    containers: [
      { name: "app", image: "registry.example/shop/app:1.2.3", ports: [{ containerPort: 8080 }] },
    ],
  });
}

export function podOf(name: string, spec: object): Buffer {
  const metadata = { name, labels: { app: "bench", tier: "front", release: "r1" } };
  return Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec }));
}

/** The answer, which must be of this status. */
export async function expectStatus(answer: Promise<Answer>, status: number): Promise<Answer> {
  const got = await answer;
  if (got.status === status) return got;
  throw new Error(
    `status ${got.status} instead of ${status}: ${got.body.toString().slice(0, 500)}`,
  );
}

/** Waits until pods can be made: their namespace and its ServiceAccount come a moment after the first start. */
export async function untilUsable(client: Http2Load): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const path = "/api/v1/namespaces/default/serviceaccounts/default";
    if ((await client.request("GET", path)).status === 200) return;
    if (performance.now() > deadline) throw new Error("there is no default ServiceAccount");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
