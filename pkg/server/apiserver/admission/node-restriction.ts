import type { TokenRequest } from "../../../api/generated/authentication-v1.generated.ts";
import type { Node, Pod } from "../../../api/generated/core-v1.generated.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import { isReservedNodeLabel } from "../../../api/reserved-node-labels.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { nodeNameOf } from "../authz/node-authorizer.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "./admission.ts";
import { admissionForbidden, isAbout, metaOf } from "./refusal.ts";

const mirrorAnnotation = "kubernetes.io/config.mirror";

/** A node changes its own Node, its own Lease and the pods that run on it, and nothing else of those. */
export function createNodeRestriction(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    validate(request) {
      const nodeName = nodeNameOf(request.user);
      if (nodeName === undefined) return;
      const why = problemOf(reader, request, nodeName);
      if (why !== undefined) throw admissionForbidden(request, why);
    },
  };
}

function problemOf(
  reader: ObjectReader,
  request: AdmissionRequest,
  nodeName: string,
): string | undefined {
  if (isAbout(request, "pods")) return podProblem(request, nodeName);
  if (isAbout(request, "pods/status")) return podStatusProblem(request, nodeName);
  if (isAbout(request, "pods/eviction")) return evictionProblem(reader, request, nodeName);
  if (isAbout(request, "nodes") || isAbout(request, "nodes/status")) {
    return nodeProblem(request, nodeName);
  }
  if (isAbout(request, "serviceaccounts/token")) return tokenProblem(reader, request, nodeName);
  if (isAbout(request, "leases.coordination.k8s.io")) {
    const name = request.operation === "CREATE" ? metaOf(request).name : request.name;
    return name === nodeName
      ? undefined
      : "can only access node lease with the same name as the requesting node";
  }
  return undefined;
}

function podProblem(request: AdmissionRequest, nodeName: string): string | undefined {
  const node = JSON.stringify(nodeName);
  switch (request.operation) {
    case "CREATE": {
      const pod = request.object as Pod;
      if (pod.metadata.annotations?.[mirrorAnnotation] === undefined) {
        return `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, node ${node} can only create mirror pods`;
      }
      if (pod.spec?.nodeName !== nodeName) {
        return `node ${node} can only create pods with spec.nodeName set to itself`;
      }
      if (pod.spec.serviceAccountName) {
        return `node ${node} can not create pods that reference a service account`;
      }
      for (const volume of pod.spec.volumes ?? []) {
        if (volume.secret) return `node ${node} can not create pods that reference secrets`;
        if (volume.configMap) return `node ${node} can not create pods that reference configmaps`;
      }
      return undefined;
    }
    case "DELETE":
      return (request.previous as Pod | undefined)?.spec?.nodeName === nodeName
        ? undefined
        : `node ${node} can only delete pods with spec.nodeName set to itself`;
    default:
      return `unexpected operation ${JSON.stringify(request.operation)}, node ${node} can only create and delete mirror pods`;
  }
}

function podStatusProblem(request: AdmissionRequest, nodeName: string): string | undefined {
  const node = JSON.stringify(nodeName);
  const previous = request.previous as Pod | undefined;
  if (previous?.spec?.nodeName !== nodeName) {
    return `node ${node} can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (!equalJson(metaOf(request).labels ?? {}, previous.metadata.labels ?? {})) {
    return `node ${node} cannot update labels through pod status`;
  }
  return undefined;
}

function evictionProblem(
  reader: ObjectReader,
  request: AdmissionRequest,
  nodeName: string,
): string | undefined {
  const pod = reader.get(podResource, request.namespace, request.name);
  if (pod === undefined || pod.spec?.nodeName === nodeName) return undefined;
  return `node ${nodeName} can only evict pods with spec.nodeName set to itself`;
}

function nodeProblem(request: AdmissionRequest, nodeName: string): string | undefined {
  const requested = request.name || (metaOf(request).name ?? "");
  const node = JSON.stringify(nodeName);
  if (requested !== nodeName) {
    return `node ${node} is not allowed to modify node ${JSON.stringify(requested)}`;
  }
  if (request.operation === "DELETE") return undefined;
  const next = request.object as Node;
  const previous = request.previous as Node | undefined;
  if (previous !== undefined && !equalJson(next.spec?.taints ?? [], previous.spec?.taints ?? [])) {
    return `node ${node} is not allowed to modify taints`;
  }
  const changed = changedLabels(next.metadata.labels ?? {}, previous?.metadata.labels ?? {});
  const forbidden = changed.filter(isReservedNodeLabel);
  if (forbidden.length === 0) return undefined;
  const verb = previous === undefined ? "set the following" : "modify";
  return `is not allowed to ${verb} labels: ${forbidden.sort().join(", ")}`;
}

function changedLabels(
  next: Readonly<Record<string, string>>,
  previous: Readonly<Record<string, string>>,
): string[] {
  const keys = new Set([...Object.keys(next), ...Object.keys(previous)]);
  return [...keys].filter((key) => next[key] !== previous[key]);
}

function tokenProblem(
  reader: ObjectReader,
  request: AdmissionRequest,
  nodeName: string,
): string | undefined {
  const reference = (request.object as Partial<TokenRequest>).spec?.boundObjectRef;
  if (reference?.apiVersion !== "v1" || reference.kind !== "Pod" || !reference.name) {
    return "node requested token not bound to a pod";
  }
  if (!reference.uid) return "node requested token with a pod binding without a uid";
  const pod = reader.get(podResource, request.namespace, reference.name);
  if (pod === undefined) return `pod ${JSON.stringify(reference.name)} not found`;
  if (pod.metadata.uid !== reference.uid) {
    return `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  if (pod.spec?.nodeName !== nodeName) {
    return "node requested token bound to a pod scheduled on a different node";
  }
  return undefined;
}
