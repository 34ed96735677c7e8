import { ageColumn, nameColumn } from "../columns.ts";
import { duplicate, immutableDetail, invalid, notSupported, required } from "../field-error.ts";
import {
  type CSIDriver,
  type CSIDriverSpec,
  csiDriverSchema,
  type TokenRequest,
} from "../generated/storage-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";

export const csiDriverResource = defineResource<CSIDriver>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  scope: "cluster",
  schema: csiDriverSchema,
  defaults({ spec }) {
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ["Persistent"];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  // Belongs to a feature that Kubernetes has switched off.
  prepareCreate({ spec }) {
    delete spec.preventPodSchedulingIfMissing;
  },
  prepareUpdate({ spec }, previous) {
    if (previous.spec.preventPodSchedulingIfMissing === undefined) {
      delete spec.preventPodSchedulingIfMissing;
    }
  },
  // Not counted from the start: an object that was never changed has none.
  countsGenerations: false,
  generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
  validate: ({ spec }) => validateSpec(spec),
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    const { attachRequired, volumeLifecycleModes } = next.spec;
    if (attachRequired !== previous.spec.attachRequired) {
      errors.push(invalid("spec.attachedRequired", attachRequired, immutableDetail));
    }
    if (!equalJson(volumeLifecycleModes, previous.spec.volumeLifecycleModes)) {
      errors.push(invalid("spec.volumeLifecycleModes", volumeLifecycleModes, immutableDetail));
    }
    return errors;
  },
  warnings({ spec }, previous) {
    const { tokenRequests = [] } = spec;
    const isTold =
      tokenRequests.length > 0 &&
      spec.serviceAccountTokenInSecrets === undefined &&
      !equalJson(tokenRequests, previous?.spec.tokenRequests);
    return isTold ? [secretsAdvice] : [];
  },
  columns: [
    nameColumn,
    {
      name: "AttachRequired",
      type: "boolean",
      description: "Whether a volume is attached to a node before it is mounted there.",
      cell: ({ spec }) => spec.attachRequired ?? true,
    },
    {
      name: "PodInfoOnMount",
      type: "boolean",
      description: "Whether the driver is told of the pod that a volume is mounted for.",
      cell: ({ spec }) => spec.podInfoOnMount ?? false,
    },
    {
      name: "StorageCapacity",
      type: "boolean",
      description: "Whether pods are placed where the driver says that there is room.",
      cell: ({ spec }) => spec.storageCapacity ?? false,
    },
    {
      name: "TokenRequests",
      type: "string",
      description: "For whom the driver gets tokens of the pod's account.",
      cell: ({ spec }) =>
        spec.tokenRequests?.map(({ audience }) => audience).join(",") ?? "<unset>",
    },
    {
      name: "RequiresRepublish",
      type: "boolean",
      description: "Whether the driver is called again and again for a mounted volume.",
      cell: ({ spec }) => spec.requiresRepublish ?? false,
    },
    {
      name: "Modes",
      type: "string",
      description: "Whether volumes outlive their pods.",
      cell: ({ spec }) => spec.volumeLifecycleModes?.join(",") || "<none>",
    },
    ageColumn,
  ],
});

const secretsAdvice =
  "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";

const groupPolicies = ["File", "None", "ReadWriteOnceWithFSType"];
const lifecycleModes = ["Persistent", "Ephemeral"];
const updatePeriodSecondsMin = 10;

function validateSpec(spec: CSIDriverSpec): readonly FieldError[] {
  const errors: FieldError[] = [];
  const booleans = ["attachRequired", "podInfoOnMount", "storageCapacity"] as const;
  for (const field of booleans) {
    const path = field === "attachRequired" ? "attachedRequired" : field;
    if (spec[field] === undefined) errors.push(required(`spec.${path}`));
  }
  const { fsGroupPolicy, tokenRequests = [], serviceAccountTokenInSecrets } = spec;
  if (fsGroupPolicy !== undefined && !groupPolicies.includes(fsGroupPolicy)) {
    errors.push(notSupported("spec.fsGroupPolicy", fsGroupPolicy, groupPolicies));
  }
  validateTokenRequests(tokenRequests, "spec.tokenRequests", errors);
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (lifecycleModes.includes(mode)) continue;
    errors.push(notSupported("spec.volumeLifecycleModes", mode, lifecycleModes));
  }
  if (spec.seLinuxMount === undefined) errors.push(required("spec.seLinuxMount"));
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < updatePeriodSecondsMin) {
    errors.push(
      invalid(
        "spec.nodeAllocatableUpdatePeriodSeconds",
        period,
        `must be greater than or equal to ${updatePeriodSecondsMin} seconds`,
      ),
    );
  }
  if (serviceAccountTokenInSecrets !== undefined && tokenRequests.length === 0) {
    errors.push(
      invalid(
        "spec.serviceAccountTokenInSecrets",
        serviceAccountTokenInSecrets,
        "serviceAccountTokenInSecrets is set but no tokenRequests are specified",
      ),
    );
  }
  return errors;
}

const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;

function validateTokenRequests(
  requests: readonly TokenRequest[],
  path: string,
  errors: FieldError[],
): void {
  const audiences = new Set<string>();
  requests.forEach(({ audience, expirationSeconds: seconds }, index) => {
    const at = `${path}[${index}]`;
    if (audiences.has(audience)) {
      errors.push(duplicate(`${at}.audience`, audience));
      return;
    }
    audiences.add(audience);
    if (seconds === undefined) return;
    const refuse = (detail: string) =>
      errors.push(invalid(`${at}.expirationSeconds`, seconds, detail));
    if (seconds < tokenSecondsMin) refuse("may not specify a duration less than 10 minutes");
    if (seconds > tokenSecondsMax) refuse("may not specify a duration larger than 2^32 seconds");
  });
}
