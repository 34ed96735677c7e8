import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
} from "../field-error.ts";
import type { Condition } from "../generated/meta-v1.generated.ts";
import { checkQualifiedName } from "../names.ts";
import type { FieldError } from "../resource.ts";

const statuses = ["False", "True", "Unknown"];
const reasonPattern = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const reasonRegexp = new RegExp(`^${reasonPattern}$`);
const reasonDetail = `a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${reasonPattern}')`;
const reasonBytesMax = 1024;
const messageBytesMax = 32_768;

/** Of conditions of the one type that newer kinds share. */
export function validateMetaConditions(
  conditions: readonly Condition[] | undefined,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  (conditions ?? []).forEach((condition, index) => {
    const at = `${path}[${index}]`;
    if (types.has(condition.type)) errors.push(duplicate(`${at}.type`, condition.type));
    types.add(condition.type);
    validateCondition(condition, at, errors);
  });
  return errors;
}

function validateCondition(condition: Condition, path: string, errors: FieldError[]): void {
  const { type, status, observedGeneration = 0, lastTransitionTime, reason, message } = condition;
  addAll(errors, invalidEach(`${path}.type`, type, checkQualifiedName(type)));
  if (!statuses.includes(status)) errors.push(notSupported(`${path}.status`, status, statuses));
  if (observedGeneration < 0) {
    const detail = "must be greater than or equal to zero";
    errors.push(invalid(`${path}.observedGeneration`, observedGeneration, detail));
  }
  if ((lastTransitionTime ?? "") === "") errors.push(required(`${path}.lastTransitionTime`));
  if (reason === "") errors.push(required(`${path}.reason`));
  else {
    if (!reasonRegexp.test(reason)) errors.push(invalid(`${path}.reason`, reason, reasonDetail));
    if (Buffer.byteLength(reason) > reasonBytesMax) {
      errors.push(tooLong(`${path}.reason`, reasonBytesMax));
    }
  }
  if (Buffer.byteLength(message) > messageBytesMax) {
    errors.push(tooLong(`${path}.message`, messageBytesMax));
  }
}
