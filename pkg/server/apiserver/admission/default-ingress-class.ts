import type { Ingress } from "../../../api/generated/networking-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import { ingressClassResource } from "../../../api/resources/ingressclass.ts";
import type { AdmissionPlugin, ObjectReader } from "./admission.ts";
import { newestDefault } from "./newest-default.ts";
import { isAbout } from "./refusal.ts";

const classAnnotation = "kubernetes.io/ingress.class";
const defaultAnnotation = "ingressclass.kubernetes.io/is-default-class";

/** An Ingress that names no class is of the default one, where there is one. */
export function createDefaultIngressClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "DefaultIngressClass",
    admit(request) {
      if (request.operation !== "CREATE" || !isAbout(request, "ingresses.networking.k8s.io")) {
        return;
      }
      const ingress = request.object as Draft<Ingress>;
      const isNamed = ingress.metadata.annotations?.[classAnnotation] !== undefined;
      if (ingress.spec?.ingressClassName !== undefined || isNamed) return;
      const chosen = newestDefault(
        reader.list(ingressClassResource),
        ({ annotations }) => annotations?.[defaultAnnotation] === "true",
      );
      if (chosen === undefined) return;
      ingress.spec = { ...ingress.spec, ingressClassName: chosen.metadata.name };
    },
  };
}
