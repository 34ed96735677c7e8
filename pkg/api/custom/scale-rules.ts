import { invalid } from "../field-error.ts";
import { goPrint, goType } from "../patch/go-print.ts";
import { isJsonObject, ownValue } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import type { CustomResourceScale } from "./definition.ts";

const replicasMax = 2 ** 31 - 1;

/** What is wrong with the replicas that `scale` sets. */
export function scaleSpecErrors(
  object: unknown,
  { specReplicasPath }: CustomResourceScale,
): readonly FieldError[] {
  return replicaErrors(object, specReplicasPath);
}

/** What is wrong with the replicas and the selector that `scale` shows. */
export function scaleStatusErrors(
  object: unknown,
  { statusReplicasPath, labelSelectorPath = "" }: CustomResourceScale,
): readonly FieldError[] {
  const errors = [...replicaErrors(object, statusReplicasPath)];
  if (labelSelectorPath === "") return errors;
  const { value, problem } = find(object, labelSelectorPath, "string");
  if (problem !== undefined) errors.push(invalid(labelSelectorPath, "", problem));
  else if (value !== undefined && typeof value !== "string") {
    const why = wrongType(labelSelectorPath, value, "string");
    errors.push(invalid(labelSelectorPath, "", why));
  }
  return errors;
}

function replicaErrors(object: unknown, path: string): readonly FieldError[] {
  const { value, problem } = find(object, path, "int64");
  if (problem !== undefined) return [invalid(path, 0, problem)];
  if (value === undefined) return [];
  const isInteger = typeof value === "bigint" || Number.isInteger(value);
  if (!isInteger) return [invalid(path, 0, wrongType(path, value, "int64"))];
  const replicas = value as number | bigint;
  if (replicas < 0) return [invalid(path, replicas, "should be a non-negative integer")];
  if (replicas <= replicasMax) return [];
  return [invalid(path, replicas, `should be less than or equal to ${replicasMax}`)];
}

/** The text at a path; "" where there is none. */
export function textAt(object: unknown, path: string): string {
  const { value } = find(object, path, "string");
  return typeof value === "string" ? value : "";
}

function find(
  object: unknown,
  path: string,
  wanted: string,
): { readonly value?: unknown; readonly problem?: string } {
  let value = object;
  const steps = path.replace(/^\./, "").split(".");
  for (const [index, step] of steps.entries()) {
    if (!isJsonObject(value)) {
      const way = `.${steps.slice(0, index).join(".")}`;
      return { problem: wrongType(way, value, "map[string]interface {}") };
    }
    value = ownValue(value, step);
    if (value === undefined) return {};
  }
  return value === null ? { problem: wrongType(path, value, wanted) } : { value };
}

function wrongType(path: string, value: unknown, wanted: string): string {
  const way = path.startsWith(".") ? path : `.${path}`;
  return `${way} accessor error: ${goPrint(value)} is of the type ${value === null ? "<nil>" : goType(value)}, expected ${wanted.replace(" ", "")}`;
}
