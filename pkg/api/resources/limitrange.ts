import { randomUUID } from "node:crypto";
import { addAll } from "../../base/add-all.ts";
import { createdAtColumn, nameColumn } from "../columns.ts";
import { duplicate, forbidden, invalid, invalidEach, isEnough, required } from "../field-error.ts";
import {
  type LimitRange,
  type LimitRangeItem,
  limitRangeSchema,
} from "../generated/core-v1.generated.ts";
import { checkQualifiedName } from "../names.ts";
import type { Draft } from "../object.ts";
import { compareQuantities, formatQuantity, type Quantity, tryParseQuantity } from "../quantity.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultResourceList } from "../shared/pod-spec-defaults.ts";
import {
  checkContainerResourceName,
  checkResourceName,
  isOvercommitAllowed,
} from "../shared/resource-names.ts";

export const limitRangeResource = defineResource<LimitRange>({
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  shortNames: ["limits"],
  scope: "namespace",
  schema: limitRangeSchema,
  defaults({ spec }) {
    for (const item of spec.limits ?? []) defaultItem(item);
  },
  prepareCreate({ metadata }) {
    // The one kind that can do without a name.
    if ((metadata.name ?? "") === "" && (metadata.generateName ?? "") === "") {
      metadata.name = randomUUID();
    }
  },
  validate,
  columns: [nameColumn, createdAtColumn],
});

const amountFields = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

function defaultItem(item: Draft<LimitRangeItem>): void {
  for (const field of amountFields) defaultResourceList(item[field]);
  if (item.type !== "Container") return;
  // A container that says nothing may have the most; one that names a limit only asks for all of it.
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  for (const field of ["default", "defaultRequest"] as const) {
    if (Object.keys(item[field] ?? {}).length === 0) delete item[field];
  }
}

function validate({ spec }: LimitRange): readonly FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  (spec.limits ?? []).forEach((item, index) => {
    if (isEnough(errors)) return;
    const path = `spec.limits[${index}]`;
    addAll(errors, checkType(item.type, `${path}.type`));
    if (types.has(item.type)) errors.push(duplicate(`${path}.type`, item.type));
    types.add(item.type);
    validateItem(item, path, errors);
  });
  return errors;
}

const standardTypes = ["Container", "PersistentVolumeClaim", "Pod"];

function checkType(type: string, path: string): readonly FieldError[] {
  const errors = invalidEach(path, type, checkQualifiedName(type));
  if (errors.length > 0 || type.includes("/") || standardTypes.includes(type)) return errors;
  return [invalid(path, type, "must be a standard limit type or fully qualified")];
}

function validateItem(item: LimitRangeItem, path: string, errors: FieldError[]): void {
  const names = new Set<string>();
  const check = (field: (typeof amountFields)[number]) => {
    for (const name of Object.keys(item[field] ?? {})) {
      if (isEnough(errors)) break;
      const at = `${path}.${field}[${name}]`;
      const isOfContainers = item.type === "Pod" || item.type === "Container";
      errors.push(
        ...(isOfContainers ? checkContainerResourceName(name, at) : checkResourceName(name, at)),
      );
      names.add(name);
    }
  };
  check("max");
  check("min");
  for (const field of ["default", "defaultRequest"] as const) {
    if (item.type !== "Pod") check(field);
    else if (Object.keys(item[field] ?? {}).length > 0) {
      errors.push(forbidden(`${path}.${field}`, "may not be specified when `type` is 'Pod'"));
    }
  }
  if (
    item.type === "PersistentVolumeClaim" &&
    item.min?.["storage"] === undefined &&
    item.max?.["storage"] === undefined
  ) {
    errors.push(
      required(
        `${path}.limits`,
        "either minimum or maximum storage value is required, but neither was provided",
      ),
    );
  }
  check("maxLimitRequestRatio");
  for (const name of names) validateAmounts(item, name, path, errors);
}

/** The five amounts of one resource must not contradict each other. */
function validateAmounts(
  item: LimitRangeItem,
  name: string,
  path: string,
  errors: FieldError[],
): void {
  const isPod = item.type === "Pod";
  const min = amountOf(item.min, name);
  const max = amountOf(item.max, name);
  const limit = isPod ? undefined : amountOf(item.default, name);
  const request = isPod ? undefined : amountOf(item.defaultRequest, name);
  const ratio = amountOf(item.maxLimitRequestRatio, name);
  const refuse = (field: string, value: Quantity, detail: string) => {
    errors.push(invalid(`${path}.${field}[${name}]`, formatQuantity(value), detail));
  };
  const refuseGreater = (
    [lowName, low]: readonly [string, Quantity | undefined],
    [highName, high]: readonly [string, Quantity | undefined],
    field: string,
    shown: Quantity | undefined,
  ) => {
    if (low === undefined || high === undefined || shown === undefined) return;
    if (compareQuantities(low, high) <= 0) return;
    const values = [formatQuantity(low), formatQuantity(high)];
    refuse(
      field,
      shown,
      `${lowName} value ${values[0]} is greater than ${highName} value ${values[1]}`,
    );
  };
  refuseGreater(["min", min], ["max", max], "min", min);
  refuseGreater(["min", min], ["default request", request], "defaultRequest", request);
  refuseGreater(["default request", request], ["max", max], "defaultRequest", request);
  refuseGreater(["default request", request], ["default limit", limit], "defaultRequest", request);
  refuseGreater(["min", min], ["default", limit], "default", min);
  refuseGreater(["default", limit], ["max", max], "default", max);
  if (ratio !== undefined) {
    if (ratio.nanos < unitNanos) {
      refuse("maxLimitRequestRatio", ratio, `ratio ${formatQuantity(ratio)} is less than 1`);
    }
    const reachable = min === undefined || max === undefined ? undefined : quotient(max, min);
    if (reachable !== undefined && quotient(ratio, one) > reachable) {
      refuse(
        "maxLimitRequestRatio",
        ratio,
        `ratio ${formatQuantity(ratio)} is greater than max/min = ${printRatio(reachable)}`,
      );
    }
  }
  if (
    !isOvercommitAllowed(name) &&
    limit !== undefined &&
    request !== undefined &&
    compareQuantities(limit, request) !== 0
  ) {
    refuse(
      "defaultRequest",
      request,
      `default value ${formatQuantity(limit)} must equal to defaultRequest value ${formatQuantity(request)} in ${name}`,
    );
  }
}

const unitNanos = 1_000_000_000n;
const one: Quantity = { nanos: unitNanos, format: "DecimalSI" };

function amountOf(
  list: Readonly<Record<string, string>> | undefined,
  name: string,
): Quantity | undefined {
  const text = list?.[name];
  return text === undefined ? undefined : tryParseQuantity(text);
}

function quotient(dividend: Quantity, divisor: Quantity): number {
  return Number(dividend.nanos) / Number(divisor.nanos);
}

/** As Go prints a float64 with `%f`. */
function printRatio(ratio: number): string {
  if (Number.isNaN(ratio)) return "NaN";
  if (!Number.isFinite(ratio)) return ratio > 0 ? "+Inf" : "-Inf";
  return ratio.toFixed(6);
}
