import { ApiError } from "../../../api/api-error.ts";
import { namespaceResource } from "../../../api/resources/namespace.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

const immortal: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

/** Nothing is created in a namespace that is not there or is ending; three namespaces cannot be deleted. */
export function createNamespaceLifecycle(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    admit(request) {
      if (request.operation === "DELETE" && isAbout(request, "namespaces")) {
        if (!immortal.has(request.name)) return;
        throw ApiError.forbidden(
          namespaceResource,
          request.name,
          "this namespace may not be deleted",
        );
      }
      if (request.namespace === undefined || request.operation === "DELETE") return;
      if (isAbout(request, "localsubjectaccessreviews.authorization.k8s.io")) return;
      const namespace = reader.get(namespaceResource, undefined, request.namespace);
      if (namespace === undefined) throw ApiError.notFound(namespaceResource, request.namespace);
      if (request.operation !== "CREATE") return;
      const ends = namespace.metadata.deletionTimestamp !== undefined;
      if (ends || namespace.status?.phase === "Terminating") {
        throw terminating(request, request.namespace);
      }
    },
  };
}

function terminating(request: AdmissionRequest, namespace: string): ApiError {
  const error = admissionForbidden(
    request,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  return new ApiError("Forbidden", error.message, {
    details: {
      ...error.details,
      causes: [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    },
  });
}
