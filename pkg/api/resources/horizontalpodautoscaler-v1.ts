import {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalerSchema,
} from "../generated/autoscaling-v1.generated.ts";
import type { HorizontalPodAutoscaler as StoredAutoscaler } from "../generated/autoscaling-v2.generated.ts";
import { autoscalerFromV1, autoscalerToV1 } from "../shared/autoscaler-v1.ts";
import { otherVersion } from "../shared/other-version.ts";
import { horizontalPodAutoscalerResource } from "./horizontalpodautoscaler.ts";

/** The older version: a share of the CPU has a field of its own, all else lies in annotations. */
export const horizontalPodAutoscalerV1Resource = otherVersion<
  HorizontalPodAutoscaler,
  StoredAutoscaler
>(horizontalPodAutoscalerResource, {
  version: "v1",
  schema: horizontalPodAutoscalerSchema,
  toStored: (object) => ({ apiVersion: "autoscaling/v2", ...autoscalerFromV1(object) }),
  fromStored: (object) => ({ apiVersion: "autoscaling/v1", ...autoscalerToV1(object) }),
});
