import { ApiError } from "../api-error.ts";
import {
  copyJson,
  isJsonDraft,
  isJsonList,
  isJsonObject,
  type JsonDraft,
  type JsonObject,
  ownValue,
  setOwn,
} from "./json-value.ts";
import { goKind, requireShallow } from "./refusal.ts";

/**
 * The document with an RFC 7386 merge patch carried out on an unshared copy of it: null removes a key, objects are
 * merged, everything else replaces. As in Kubernetes, nulls are also dropped from objects within a list that
 * replaces one.
 */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (patch === null) throw ApiError.badRequest("Invalid JSON Patch");
  if (!isJsonObject(patch)) {
    throw ApiError.badRequest(
      `error decoding patch: json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  requireShallow(patch, "error decoding patch");
  const target = copyJson(document);
  if (!isJsonDraft(target)) return withoutNulls(patch);
  mergeInto(target, patch);
  return target;
}

function mergeInto(target: JsonDraft, patch: JsonObject): void {
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null || value === undefined) {
      delete target[key];
      continue;
    }
    const current = ownValue(target, key);
    if (isJsonDraft(current)) {
      if (isJsonObject(value)) mergeInto(current, value);
      else setOwn(target, key, copyJson(value));
    } else {
      setOwn(target, key, withoutNulls(value));
    }
  }
}

function withoutNulls(value: unknown): unknown {
  if (isJsonList(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const pruned: JsonDraft = {};
  for (const key of Object.keys(value)) {
    const child = value[key];
    if (child !== null && child !== undefined) setOwn(pruned, key, withoutNulls(child));
  }
  return pruned;
}
