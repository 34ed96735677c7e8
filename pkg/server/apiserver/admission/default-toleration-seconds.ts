import type { Pod, Toleration } from "../../../api/generated/core-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout } from "./refusal.ts";

const tolerationSeconds = 300;
const keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] as const;

/** A pod that says nothing of it stays five minutes on a node that is not ready or cannot be reached. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  admit(request) {
    if (request.operation !== "CREATE" && request.operation !== "UPDATE") return;
    if (!isAbout(request, "pods")) return;
    const { spec } = request.object as Draft<Pod>;
    if (spec === undefined) return;
    const stated = spec.tolerations ?? [];
    const added = keys.filter((key) => !stated.some((toleration) => covers(toleration, key)));
    if (added.length === 0) return;
    spec.tolerations = [
      ...stated,
      ...added.map((key) => ({
        key,
        operator: "Exists" as const,
        effect: "NoExecute" as const,
        tolerationSeconds,
      })),
    ];
  },
};

function covers(toleration: Toleration, taint: string): boolean {
  const { key = "" } = toleration;
  const effect: string = toleration.effect ?? "";
  return (key === taint || key === "") && (effect === "NoExecute" || effect === "");
}
