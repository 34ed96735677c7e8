import { ApiError } from "../../api/api-error.ts";
import type { FieldError } from "../../api/resource.ts";
import { fieldManagerErrors } from "../../api/shared/field-manager.ts";
import { isTrue } from "./request-info.ts";
import { wholeNumberIn } from "./whole-number.ts";

/** What every write may be asked for beside the object. */
export interface WriteOptions {
  /** Everything is done but the last step: nothing is stored. */
  readonly dryRun: boolean;
  /** Owns the fields that are set; undefined: the caller's default. */
  readonly fieldManager: string | undefined;
}

export const plainWrite: WriteOptions = { dryRun: false, fieldManager: undefined };

export type FieldValidation = "Ignore" | "Warn" | "Strict";

export type PropagationPolicy = "Orphan" | "Background" | "Foreground";

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: PropagationPolicy | undefined;
  /** The old word for a propagation policy; never set together with one. */
  readonly orphanDependents: boolean | undefined;
  readonly preconditions: Preconditions;
}

export const plainDelete: DeleteOptions = {
  dryRun: false,
  gracePeriodSeconds: undefined,
  propagationPolicy: undefined,
  orphanDependents: undefined,
  preconditions: {},
};

type OptionsKind = "CreateOptions" | "UpdateOptions" | "PatchOptions";

/** Reads the options of a create, an update or a patch out of the query. Wrong ones throw Invalid. */
export function parseWriteOptions(
  query: URLSearchParams,
  kind: OptionsKind,
): WriteOptions & { readonly fieldValidation: FieldValidation } {
  const errors: FieldError[] = [];
  const fieldManager = query.get("fieldManager") ?? "";
  errors.push(...fieldManagerErrors(fieldManager));
  const dryRun = query.getAll("dryRun");
  errors.push(...dryRunErrors(dryRun));
  const fieldValidation = query.get("fieldValidation") ?? "";
  if (!["", "Ignore", "Warn", "Strict"].includes(fieldValidation)) {
    errors.push(unsupported("fieldValidation", fieldValidation, ["", "Ignore", "Strict", "Warn"]));
  }
  if (errors.length > 0) {
    throw ApiError.invalid({ group: "meta.k8s.io", kind }, "", errors);
  }
  return {
    dryRun: dryRun.length > 0,
    fieldManager: fieldManager === "" ? undefined : fieldManager,
    fieldValidation: fieldValidation === "" ? "Warn" : (fieldValidation as FieldValidation),
  };
}

/** The options of a delete: those of the body where there is one, else those of the query. Wrong ones throw. */
export function parseDeleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  const source = body === undefined ? deleteOptionsInQuery(query) : recordOf(body);
  const errors: FieldError[] = [];
  const policy = source["propagationPolicy"];
  const orphan = source["orphanDependents"];
  if (typeof policy === "string" && typeof orphan === "boolean") {
    errors.push({
      type: "Invalid value",
      path: "propagationPolicy",
      value: policy,
      detail: "orphanDependents and deletionPropagation cannot be both set",
    });
  }
  if (typeof policy === "string" && !["Foreground", "Background", "Orphan"].includes(policy)) {
    errors.push(
      unsupported("propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"]),
    );
  }
  const dryRun = Array.isArray(source["dryRun"]) ? source["dryRun"].map(String) : [];
  errors.push(...dryRunErrors(dryRun));
  if (errors.length > 0) {
    throw ApiError.invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  }
  const grace = source["gracePeriodSeconds"];
  const preconditions = recordOf(source["preconditions"] ?? {});
  const { uid, resourceVersion } = preconditions;
  return {
    dryRun: dryRun.length > 0,
    gracePeriodSeconds:
      typeof grace === "number" || typeof grace === "bigint" ? Number(grace) : undefined,
    propagationPolicy: policy as PropagationPolicy | undefined,
    orphanDependents: typeof orphan === "boolean" ? orphan : undefined,
    preconditions: {
      ...(typeof uid === "string" ? { uid } : {}),
      ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
    },
  };
}

function deleteOptionsInQuery(query: URLSearchParams): Readonly<Record<string, unknown>> {
  const grace = wholeNumberIn(query, "gracePeriodSeconds");
  return {
    dryRun: query.getAll("dryRun"),
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(query.has("orphanDependents")
      ? { orphanDependents: isTrue(query.get("orphanDependents")) }
      : {}),
    ...(query.has("propagationPolicy")
      ? { propagationPolicy: query.get("propagationPolicy") }
      : {}),
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw ApiError.badRequest("DeleteOptions must be an object");
}

function dryRunErrors(dryRun: readonly string[]): FieldError[] {
  return dryRun.every((value) => value === "All") ? [] : [unsupported("dryRun", dryRun, ["All"])];
}

function unsupported(path: string, value: unknown, values: readonly string[]): FieldError {
  const supported = values.map((each) => JSON.stringify(each)).join(", ");
  return { type: "Unsupported value", path, value, detail: `supported values: ${supported}` };
}
