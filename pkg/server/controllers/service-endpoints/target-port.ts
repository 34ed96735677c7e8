import type { Pod, Service, ServicePort } from "../../../api/generated/core-v1.generated.ts";

/** The number of the pod's port that a service's port leads to; undefined where the pod has no such port. */
export function targetPortOf(pod: Pod, port: ServicePort): number | undefined {
  const { targetPort } = port;
  if (typeof targetPort === "number") return targetPort;
  if (targetPort === undefined) return port.port;
  const sidecars = (pod.spec.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === "Always",
  );
  for (const { ports = [] } of [...pod.spec.containers, ...sidecars]) {
    const named = ports.find(
      ({ name, protocol }) => name === targetPort && protocol === port.protocol,
    );
    if (named !== undefined) return named.containerPort;
  }
  return undefined;
}

/** The service has no address of its own: its name leads to its pods. */
export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === "None" || spec.clusterIP === undefined || spec.clusterIP === "";
}

/** The pod's own name within the service, where it has one. */
export function hostnameIn(service: Service, pod: Pod): string | undefined {
  const { hostname = "", subdomain } = pod.spec;
  return hostname !== "" && subdomain === service.metadata.name ? hostname : undefined;
}
