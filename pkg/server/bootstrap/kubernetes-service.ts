import type { Endpoints, Service } from "../../api/generated/core-v1.generated.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.generated.ts";
import type { NewObject } from "../../api/object.ts";
import { checkEndpointIp } from "../../api/shared/endpoint-ip.ts";

export interface ApiEndpoint {
  /** The ClusterIP of Service `kubernetes`: the first of the range. */
  readonly serviceAddress: string;
  /** Where nodes and pods reach this server. */
  readonly address: string;
  readonly port: number;
}

const namespace = "default";
const name = "kubernetes";
const protocol = "TCP";

/** The Service by which pods find the API. */
export function kubernetesService(api: ApiEndpoint): NewObject<Service> {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      type: "ClusterIP",
      clusterIP: api.serviceAddress,
      ports: [{ name: "https", port: 443, protocol, targetPort: api.port }],
      sessionAffinity: "None",
    },
  };
}

/** It has no selector: the server itself says where it is. */
export function kubernetesEndpoints(api: ApiEndpoint): NewObject<Endpoints> {
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name, namespace, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    ...(isReachable(api)
      ? {
          subsets: [
            {
              addresses: [{ ip: api.address }],
              ports: [{ name: "https", port: api.port, protocol }],
            },
          ],
        }
      : {}),
  };
}

/** A server that is told to be reached at its own loopback address is reached by no pod: no endpoint may say so. */
function isReachable({ address }: ApiEndpoint): boolean {
  return checkEndpointIp(address).length === 0;
}

export function kubernetesEndpointSlice(api: ApiEndpoint): NewObject<EndpointSlice> {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: isReachable(api) ? [{ addresses: [api.address], conditions: { ready: true } }] : [],
    ports: [{ name: "https", port: api.port, protocol }],
  };
}

/** DNS runs on every node and answers at this address; it has no selector, as no pod serves it. */
export function dnsService(clusterIP: string): NewObject<Service> {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "kube-dns",
      namespace: "kube-system",
      labels: {
        "k8s-app": "kube-dns",
        "kubernetes.io/cluster-service": "true",
        "kubernetes.io/name": "CoreDNS",
      },
    },
    spec: {
      type: "ClusterIP",
      clusterIP,
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
      ],
    },
  };
}
