import { ApiError } from "../api-error.ts";
import {
  copyJson,
  depthOf,
  equalJson,
  isJsonDraft,
  isJsonList,
  isJsonObject,
  type JsonDraft,
  type JsonObject,
  ownValue,
  setOwn,
} from "./json-value.ts";
import { depthMax, goKind, requireShallow, unprocessable } from "./refusal.ts";

/** More operations than this in one JSON patch are refused: RequestEntityTooLarge. */
const operationsMax = 10_000;
/** What all `copy` operations of one patch may add to the object; beyond it the patch is refused. */
const copiedBytesMax = 3 * 1024 * 1024;

type Operation = JsonObject;
type Container = JsonDraft | unknown[];
/** Where an operation acts: the key is looked up in, added to or removed from the container. */
interface Place {
  readonly container: Container;
  readonly key: string;
}

/**
 * The document with an RFC 6902 patch carried out on an unshared copy of it. As in Kubernetes, `replace` of an
 * absent key adds it, an operation without a `value` has the value null, and any operation that cannot be carried
 * out refuses the whole patch.
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = readOperations(patch);
  const root = { document: copyJson(document) };
  let copiedBytes = 0;
  for (const operation of operations) {
    switch (operation["op"]) {
      case "add":
        add(root, pathOf(operation, "path"), patchValue(operation));
        break;
      case "remove":
        remove(placeOf(root, pathOf(operation, "path")));
        break;
      case "replace":
        replace(root, pathOf(operation, "path"), patchValue(operation));
        break;
      case "move":
        move(root, operation);
        break;
      case "copy":
        copiedBytes = copy(root, operation, copiedBytes);
        break;
      case "test":
        test(root, operation);
        break;
      default:
        throw unprocessable(`Unexpected kind: ${String(operation["op"] ?? "unknown")}`);
    }
  }
  return root.document;
}

const operationFields = new Set(["op", "path", "from", "value"]);

/** What strict field validation says of a patch's own fields, in the words of Kubernetes. */
export function strictJsonPatchErrors(patch: unknown): string[] {
  if (!isJsonList(patch)) return [];
  return patch.flatMap((operation, index) =>
    isJsonObject(operation)
      ? Object.keys(operation)
          .filter((field) => !operationFields.has(field))
          .map((field) => `json patch unknown field "[${index}].${field}"`)
      : [],
  );
}

function readOperations(patch: unknown): readonly Operation[] {
  if (patch === null) return [];
  requireShallow(patch, "error decoding patch");
  if (!isJsonList(patch)) {
    throw undecodable(
      `cannot unmarshal ${goKind(patch)} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  const operations = patch.map((operation) => {
    if (operation === null) return {};
    if (!isJsonObject(operation)) {
      throw undecodable(
        `cannot unmarshal ${goKind(operation)} into Go value of type handlers.jsonPatchOp`,
      );
    }
    for (const field of ["op", "path", "from"]) requireString(operation, field);
    return operation;
  });
  if (operations.length > operationsMax) {
    throw new ApiError(
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${operationsMax}, got ${operations.length}`,
    );
  }
  return operations;
}

function requireString(operation: Operation, field: string): void {
  const value = ownValue(operation, field);
  if (value === undefined || value === null || typeof value === "string") return;
  throw undecodable(
    `cannot unmarshal ${goKind(value)} into Go struct field jsonPatchOp.${field} of type string`,
  );
}

function undecodable(why: string): ApiError {
  return ApiError.badRequest(`error decoding patch: json: ${why}`);
}

function pathOf(operation: Operation, field: "path" | "from"): string {
  const path = ownValue(operation, field);
  if (typeof path === "string") return path;
  throw unprocessable(
    `${String(operation["op"])} operation failed to decode ${field}: missing value`,
  );
}

function patchValue(operation: Operation): unknown {
  return copyJson(ownValue(operation, "value") ?? null);
}

interface Root {
  document: unknown;
}

/** Text before the first slash is ignored, as in Kubernetes: `spec/replicas` is `/replicas`. */
function placeOf(root: Root, path: string): Place {
  const tokens = path
    .split("/")
    .slice(1)
    .map((token) => token.replace(/~[01]/g, (escaped) => (escaped === "~1" ? "/" : "~")));
  const key = tokens.pop();
  if (key === undefined) throw missing(path);
  let container = root.document;
  for (const token of tokens) {
    if (!isContainer(container)) throw missing(path);
    container = get({ container, key: token });
  }
  if (!isContainer(container)) throw missing(path);
  return { container, key };
}

function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || isJsonDraft(value);
}

function missing(path: string): ApiError {
  return unprocessable(`doc is missing path: ${JSON.stringify(path)}: missing value`);
}

/** An absent key has the value null; an index out of bounds is refused. */
function get({ container, key }: Place): unknown {
  if (!Array.isArray(container)) return ownValue(container, key) ?? null;
  return container[indexOf(key, container.length - 1)];
}

/** Negative indices are refused: RFC 6901 has none. */
function indexOf(key: string, max: number): number {
  if (!/^\+?[0-9]+$/.test(key)) {
    throw unprocessable(`value was not a proper array index: '${key}'`);
  }
  const index = Number(key);
  if (index > max) throw unprocessable(`Unable to access invalid index: ${key}`);
  return index;
}

function put(root: Root, path: string, value: unknown): void {
  const levels = path.split("/").length;
  if (levels + depthOf(value, depthMax) > depthMax) {
    throw unprocessable(`the object would be nested deeper than ${depthMax} levels`);
  }
  const { container, key } = placeOf(root, path);
  if (!Array.isArray(container)) setOwn(container, key, value);
  else if (key === "-") container.push(value);
  else container.splice(indexOf(key, container.length), 0, value);
}

function add(root: Root, path: string, value: unknown): void {
  put(root, path, value);
}

function remove({ container, key }: Place): void {
  if (Array.isArray(container)) {
    container.splice(indexOf(key, container.length - 1), 1);
  } else if (Object.hasOwn(container, key)) {
    delete container[key];
  } else {
    throw unprocessable(`Unable to remove nonexistent key: ${key}: missing value`);
  }
}

function replace(root: Root, path: string, value: unknown): void {
  if (path === "") {
    if (!isContainer(value)) throw unprocessable("replace operation value must be object or array");
    root.document = value;
    return;
  }
  const place = placeOf(root, path);
  const { container, key } = place;
  if (Array.isArray(container)) container[indexOf(key, container.length - 1)] = value;
  else put(root, path, value);
}

function move(root: Root, operation: Operation): void {
  const from = placeOf(root, pathOf(operation, "from"));
  const value = get(from);
  remove(from);
  put(root, pathOf(operation, "path"), value);
}

function copy(root: Root, operation: Operation, copiedBytesBefore: number): number {
  const value = get(placeOf(root, pathOf(operation, "from")));
  if (depthOf(value, depthMax) >= depthMax) {
    throw unprocessable(`the object would be nested deeper than ${depthMax} levels`);
  }
  const copiedBytes = copiedBytesBefore + Buffer.byteLength(JSON.stringify(value));
  if (copiedBytes > copiedBytesMax) {
    throw unprocessable(
      `Unable to complete the copy, the accumulated size increase of copy is ${copiedBytes}, exceeding the limit ${copiedBytesMax}`,
    );
  }
  put(root, pathOf(operation, "path"), copyJson(value));
  return copiedBytes;
}

function test(root: Root, operation: Operation): void {
  const path = pathOf(operation, "path");
  const value = path === "" ? root.document : get(placeOf(root, path));
  if (!equalJson(value, ownValue(operation, "value") ?? null)) {
    throw unprocessable(`testing value ${path} failed: test failed`);
  }
}
