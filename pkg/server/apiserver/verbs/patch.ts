import { ApiError } from "../../../api/api-error.ts";
import type { Decoded } from "../../../api/codec/decode.ts";
import { invalid } from "../../../api/field-error.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import { applyPatch } from "../../../api/patch/apply/apply-patch.ts";
import { conflictError } from "../../../api/patch/apply/conflicts.ts";
import { goPrint } from "../../../api/patch/go-print.ts";
import { applyJsonPatch, strictJsonPatchErrors } from "../../../api/patch/json-patch.ts";
import { isJsonObject, type JsonObject } from "../../../api/patch/json-value.ts";
import { applyMergePatch } from "../../../api/patch/merge-patch.ts";
import { goKind, unsupportedPatch } from "../../../api/patch/refusal.ts";
import { applyStrategicMergePatch } from "../../../api/patch/strategic-merge.ts";
import { apiVersionOf, type ResourceDefinition } from "../../../api/resource.ts";
import { formatTime } from "../../../api/time.ts";
import { type DecodedAs, decodeAs } from "../decode-as.ts";
import { resetFieldsOf, trackFields } from "../managed-fields.ts";
import type { RequestContext } from "../request-context.ts";
import { type StoreDeps, type Target, updateStored, type Written } from "../resource-store.ts";
import type { FieldValidation, WriteOptions } from "../write-options.ts";
import { fillNamespace } from "./create.ts";

/** A change to an object, in one of Kubernetes' four languages. */
export type Patch =
  | { readonly type: "json"; readonly operations: unknown }
  | { readonly type: "merge" | "strategic"; readonly patch: unknown }
  | ApplyPatch;

export interface ApplyPatch {
  readonly type: "apply";
  readonly object: unknown;
  readonly force?: boolean;
}

export interface PatchOptions extends WriteOptions {
  readonly fieldValidation: FieldValidation;
  /** What is wrong with the patch's text though it could be read: doubled keys. */
  readonly strictErrors?: readonly string[];
}

/** Nobody has said of a custom kind how its lists are merged strategically. */
const customPatchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/apply-patch+yaml",
];

/** Changes an object, or only the part of it that is a subresource. An apply creates the object where there is none. */
export async function patchObject(
  deps: StoreDeps,
  context: RequestContext,
  target: Target,
  subresource: string,
  patch: Patch,
  options: PatchOptions,
): Promise<Written> {
  const { resource, namespace } = target;
  if (patch.type === "strategic" && resource.schema.object.structural !== undefined) {
    throw unsupportedPatch(customPatchTypes);
  }
  const manager = options.fieldManager ?? context.fieldManager;
  let warnings: readonly string[] = [];
  const decode = (patched: unknown): Draft<KubernetesObject> => {
    const decoded = decodePatched(resource, patch, patched, options);
    warnings = decoded.warnings;
    fillNamespace(resource, namespace, decoded.object);
    resource.defaults?.(decoded.object, deps.clock.now());
    return decoded.object;
  };
  const written = await updateStored(deps, context, {
    target,
    subresource,
    mayCreate: patch.type === "apply" && subresource === "",
    options,
    preconditions: {},
    next(previous) {
      if (patch.type === "apply") {
        return decode(applied(deps, target, subresource, patch, manager, previous));
      }
      const draft = decode(patched(resource, patch, previous));
      trackFields(deps, resource, previous, draft, manager, subresource);
      return draft;
    },
  });
  context.warnings.push(...warnings);
  return written;
}

type Change = Exclude<Patch, ApplyPatch>;

function patched(
  kind: { readonly schema: ResourceDefinition["schema"] },
  patch: Change,
  current: KubernetesObject | undefined,
): unknown {
  // A patched object is always one that is there.
  const document = current as unknown as JsonObject;
  switch (patch.type) {
    case "json":
      return applyJsonPatch(document, patch.operations);
    case "merge":
      return applyMergePatch(document, patch.patch);
    case "strategic":
      return applyStrategicMergePatch(kind.schema.object, document, patch.patch);
  }
}

/** What became of an object by a patch: where it is no object of its kind, the patch is to blame, and is told. */
function decodePatched(
  kind: DecodedAs & { readonly schema: ResourceDefinition["schema"] },
  patch: Patch,
  patched: unknown,
  options: PatchOptions,
): Decoded<KubernetesObject> {
  const common = {
    fieldValidation: options.fieldValidation,
    strictErrors: [...(options.strictErrors ?? []), ...strictErrorsOf(patch)],
  };
  switch (patch.type) {
    case "apply":
      return decodeAs(kind, kind.schema, patched, common);
    case "strategic": {
      // Such a patch is of the kind that it is sent to, whatever it says.
      const { apiVersion: _, kind: __, ...rest } = patched as JsonObject;
      return decodeAs(kind, kind.schema, rest, {
        ...common,
        refuse: ({ converter }) => blame(goPrint(patch.patch), converter),
      });
    }
    default: {
      const text = (): string => JSON.stringify(patched);
      return decodeAs(kind, kind.schema, patched, {
        ...common,
        refuse: ({ json }) => blame(text(), json),
        refuseKind: (why) => blame(text(), why),
      });
    }
  }
}

function blame(patch: string, why: string): ApiError {
  return ApiError.invalid({ group: "", kind: "" }, "", [invalid("patch", patch, why)]);
}

function strictErrorsOf(patch: Patch): readonly string[] {
  return patch.type === "json" ? strictJsonPatchErrors(patch.operations) : [];
}

function applied(
  deps: StoreDeps,
  target: Target,
  subresource: string,
  patch: ApplyPatch,
  manager: string,
  live: KubernetesObject | undefined,
): JsonObject {
  const { resource } = target;
  const sent = patch.object ?? {};
  if (!isJsonObject(sent)) {
    throw ApiError.badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${goKind(sent)} into Go value of type map[string]interface {}`,
    );
  }
  if (live === undefined) refuseUid(target, sent);
  const result = applyPatch({
    schema: resource.schema.object,
    live: live as unknown as JsonObject | undefined,
    applied: sent,
    manager,
    force: patch.force === true,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    subresource,
    resetFields: resetFieldsOf(resource, subresource),
    nowRfc3339: formatTime(deps.clock.now()),
  });
  if (result.outcome === "conflicts") throw conflictError(result.conflicts);
  return result.object;
}

function refuseUid({ resource, name }: Target, sent: JsonObject): void {
  const metadata = isJsonObject(sent["metadata"]) ? sent["metadata"] : {};
  const { uid } = metadata;
  if (typeof uid !== "string" || uid === "") return;
  throw ApiError.conflict(
    resource,
    name,
    `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
  );
}

/** The same for an object that is not stored itself, like a Scale: a function from its present state to the next. */
export function patchValue(
  kind: DecodedAs & { readonly schema: ResourceDefinition["schema"] },
  patch: Patch,
  options: PatchOptions,
  context: RequestContext,
): (current: KubernetesObject) => Draft<KubernetesObject> {
  if (patch.type === "apply") {
    throw unsupportedPatch([
      "application/json-patch+json",
      "application/merge-patch+json",
      "application/strategic-merge-patch+json",
    ]);
  }
  return (current) => {
    const decoded = decodePatched(kind, patch, patched(kind, patch, current), options);
    context.warnings.push(...decoded.warnings);
    return decoded.object;
  };
}
