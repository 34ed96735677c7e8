import { deploymentSchema } from "../../api/generated/apps-v1.generated.ts";
import { tokenReviewSchema } from "../../api/generated/authentication-v1.generated.ts";
import {
  type Pod,
  podSchema,
  serviceAccountSchema,
} from "../../api/generated/core-v1.generated.ts";
import { kubernetesObjectSchema } from "../../api/kubernetes-schema.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { defineResource, type ResourceDefinition } from "../../api/resource.ts";
import type { ApiSurface } from "./discovery.ts";

/** A little of everything that discovery and OpenAPI treat differently, custom resources included. */
export const surface: ApiSurface = {
  resources: [
    defineResource({
      group: "example.com",
      version: "v1beta1",
      kind: "Thing",
      plural: "things",
      scope: "cluster",
      schema: {
        name: "com.example.v1beta1.Thing",
        object: {
          name: "com.example.v1beta1.Thing",
          goType: "Thing",
          fields: new Map(
            ["apiVersion", "kind", "metadata"].flatMap((name) => {
              const field = kubernetesObjectSchema("io.k8s.api.core.v1.Pod").fields.get(name);
              return field === undefined
                ? []
                : [[name, { ...field, protobuf: undefined }] as const];
            }),
          ),
          atomic: false,
          preserveUnknown: true,
        },
      },
    }),
    defineResource<KubernetesObject>({
      group: "authentication.k8s.io",
      version: "v1",
      kind: "TokenReview",
      plural: "tokenreviews",
      scope: "cluster",
      schema: tokenReviewSchema as ResourceDefinition["schema"],
      verbs: ["create"],
      storage: "none",
    }),
    defineResource<KubernetesObject>({
      group: "apps",
      version: "v1",
      kind: "Deployment",
      plural: "deployments",
      shortNames: ["deploy"],
      categories: ["all"],
      scope: "namespace",
      schema: deploymentSchema as ResourceDefinition["schema"],
      subresources: {
        status: true,
        scale: {
          specReplicas: "spec.replicas",
          statusReplicas: "status.replicas",
          labelSelector: () => "",
        },
      },
    }),
    defineResource<KubernetesObject>({
      group: "",
      version: "v1",
      kind: "ServiceAccount",
      plural: "serviceaccounts",
      shortNames: ["sa"],
      scope: "namespace",
      schema: serviceAccountSchema as ResourceDefinition["schema"],
    }),
    defineResource<Pod>({
      group: "",
      version: "v1",
      kind: "Pod",
      plural: "pods",
      shortNames: ["po"],
      scope: "namespace",
      schema: podSchema,
      subresources: { status: true },
    }) as unknown as ResourceDefinition,
  ],
  subresources: [
    {
      parent: { group: "", version: "v1", plural: "serviceaccounts" },
      name: "token",
      group: "authentication.k8s.io",
      version: "v1",
      kind: "TokenRequest",
      verbs: ["create"],
    },
    {
      parent: { group: "", version: "v1", plural: "pods" },
      name: "log",
      kind: "Pod",
      verbs: ["get"],
    },
  ],
};
