import type { ObjectSchema } from "../../schema.ts";
import {
  copyJsonObject,
  isJsonDraft,
  isJsonList,
  isJsonObject,
  type JsonDraft,
  type JsonObject,
  ownValue,
  parseJson,
  setOwn,
} from "../json-value.ts";
import { compareTyped } from "./compare.ts";
import { difference, type FieldSet, union } from "./field-set.ts";
import { toFieldSet } from "./to-field-set.ts";
import { rootType } from "./typed.ts";
import { requireTyped } from "./validate-typed.ts";

/** Where `kubectl apply` without `--server-side` keeps what it applied last. */
export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
/** Only this manager moves from client-side to server-side apply by itself; others keep off by their name. */
export const kubectlManager = "kubectl";
/** What all annotations of an object may hold together. */
const annotationsBytesMax = 256 * 1024;

/**
 * The fields that client-side apply set and that are still as it set them: server-side apply by kubectl may take
 * them over without a conflict. Undefined where the annotation is absent or of no use.
 */
export function lastAppliedFields(
  schema: ObjectSchema,
  live: JsonObject,
  apiVersion: string,
): FieldSet | undefined {
  const text = lastAppliedOf(live);
  if (text === undefined) return undefined;
  const applied = parse(text);
  if (!isJsonObject(applied) || applied["apiVersion"] !== apiVersion) return undefined;
  const type = rootType(schema);
  try {
    requireTyped(type, live);
    requireTyped(type, applied);
  } catch {
    return undefined;
  }
  const { removed, modified, added } = compareTyped(type, applied, live);
  return difference(toFieldSet(type, applied), union(union(modified, added), removed));
}

/** Brings the annotation, where the object has one, up to what is applied now, so that both ways of apply agree. */
export function updateLastApplied(object: JsonDraft, applied: JsonObject): void {
  if (lastAppliedOf(object) === undefined) return;
  const annotations = annotationsOf(object);
  if (!isJsonDraft(annotations)) return;
  const configuration = copyJsonObject(applied);
  const own = annotationsOf(configuration);
  if (isJsonDraft(own)) delete own[lastAppliedAnnotation];
  setOwn(annotations, lastAppliedAnnotation, `${goJson(configuration)}\n`);
  const bytes = Object.entries(annotations)
    .flat()
    .reduce<number>((sum, text) => sum + Buffer.byteLength(String(text)), 0);
  if (bytes > annotationsBytesMax) delete annotations[lastAppliedAnnotation];
}

function lastAppliedOf(object: JsonObject): string | undefined {
  const annotations = annotationsOf(object);
  if (!isJsonObject(annotations)) return undefined;
  const text = ownValue(annotations, lastAppliedAnnotation);
  return typeof text === "string" && text !== "" ? text : undefined;
}

function annotationsOf(object: JsonObject): unknown {
  const { metadata } = object;
  return isJsonObject(metadata) ? metadata["annotations"] : undefined;
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** JSON with sorted keys and HTML escaped, as Go writes a map. */
function goJson(value: unknown): string {
  return JSON.stringify(sorted(value)).replace(
    /[<>&\u2028\u2029]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function sorted(value: unknown): unknown {
  if (isJsonList(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const copy: JsonDraft = {};
  for (const key of Object.keys(value).sort()) setOwn(copy, key, sorted(value[key]));
  return copy;
}
