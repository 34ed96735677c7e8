import type { FieldType } from "../../schema.ts";
import { goSyntax, goType } from "../go-print.ts";
import { isJsonList, isJsonObject } from "../json-value.ts";
import { type PathElement, printElement } from "./path-element.ts";
import { anyType, itemElement, printWrapped } from "./typed.ts";

/** A value that is not of its type, or names an item twice. The message is as Kubernetes prints it. */
export class TypedValueError extends Error {
  constructor(errors: readonly string[]) {
    super(
      errors.length === 1
        ? (errors[0] ?? "")
        : `errors:\n${errors.map((e) => `  ${e}`).join("\n")}`,
    );
    this.name = "TypedValueError";
  }
}

/** Throws unless the value is wholly of the type: no field unknown, no scalar of another kind, no item twice. */
export function requireTyped(type: FieldType, value: unknown): void {
  const errors: string[] = [];
  validate(type, value, "", errors);
  if (errors.length > 0) throw new TypedValueError(errors);
}

function validate(type: FieldType, value: unknown, path: string, errors: string[]): void {
  if (value === null || value === undefined) return;
  switch (type.kind) {
    case "any":
      return;
    case "object":
    case "map":
      if (isJsonObject(value)) validateMap(type, value, path, errors);
      else report(errors, path, `expected map, got ${printWrapped(value)}`);
      return;
    case "list":
      if (isJsonList(value)) validateList(type, value, path, errors);
      else report(errors, path, `expected list, got ${printWrapped(value)}`);
      return;
    default:
      validateScalar(type, value, path, errors);
  }
}

function report(errors: string[], path: string, message: string): void {
  errors.push(path === "" ? message : `${path}: ${message}`);
}

function validateScalar(type: FieldType, value: unknown, path: string, errors: string[]): void {
  switch (type.kind) {
    case "integer":
    case "number":
      if (typeof value === "number" || typeof value === "bigint") return;
      report(errors, path, `expected numeric (int or float), got ${goType(value)}`);
      return;
    case "boolean":
      if (typeof value === "boolean") return;
      report(errors, path, `expected boolean, got ${printWrapped(value)}`);
      return;
    case "int-or-string":
    case "quantity":
      if (typeof value !== "object") return;
      report(errors, path, `expected any scalar, got ${printWrapped(value)}`);
      return;
    default:
      if (typeof value === "string") return;
      report(
        errors,
        path,
        `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`,
      );
  }
}

function validateMap(
  type: FieldType & { readonly kind: "object" | "map" },
  map: Readonly<Record<string, unknown>>,
  path: string,
  errors: string[],
): void {
  for (const key of Object.keys(map)) {
    const declared = declaredType(type, key);
    if (declared === undefined) {
      report(errors, `${path}.${key}`, "field not declared in schema");
      return;
    }
    validate(declared, map[key], `${path}.${key}`, errors);
  }
}

function declaredType(
  type: FieldType & { readonly kind: "object" | "map" },
  key: string,
): FieldType | undefined {
  if (type.kind === "map") return type.value;
  const schema = type.schema();
  return schema.fields.get(key)?.type ?? (schema.preserveUnknown ? anyType : undefined);
}

function validateList(
  type: FieldType & { readonly kind: "list" },
  list: readonly unknown[],
  path: string,
  errors: string[],
): void {
  const seen = new Set<PathElement>();
  for (const [index, item] of list.entries()) {
    let element: PathElement = `i:${index}`;
    if (type.listType !== "atomic") {
      try {
        element = itemElement(type, item);
      } catch (caught) {
        report(
          errors,
          path,
          `element ${index}: ${caught instanceof Error ? caught.message : caught}`,
        );
        return;
      }
      if (seen.has(element)) {
        report(errors, path, `duplicate entries for key ${printElement(element)}`);
      }
      seen.add(element);
    }
    validate(type.item, item, `${path}${printElement(element)}`, errors);
  }
}
