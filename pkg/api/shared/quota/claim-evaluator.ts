import type { PersistentVolumeClaim } from "../../generated/core-v1.generated.ts";
import { compareQuantities, parseQuantity, type Quantity, wholeUnits } from "../../quantity.ts";
import { storageClassOfClaim } from "../storage-class.ts";
import { volumeAttributesClassesOf } from "../volume-attributes-classes.ts";
import { one } from "./amounts.ts";
import { choosesOneOf, type QuotaEvaluator } from "./evaluator.ts";

const classSuffix = ".storageclass.storage.k8s.io/";
const claims = "persistentvolumeclaims";
const storage = "requests.storage";

/** Claims count, and the bytes they ask for; both again by their storage class. */
export const claimEvaluator: QuotaEvaluator<PersistentVolumeClaim> = {
  counts: (name) =>
    [`count/${claims}`, claims, storage].includes(name) ||
    [claims, storage].some((what) => name.endsWith(`${classSuffix}${what}`)),
  usage(claim) {
    const usage = new Map([
      [claims, one],
      [`count/${claims}`, one],
    ]);
    const storageClass = storageClassOfClaim(claim) ?? "";
    if (storageClass !== "") usage.set(`${storageClass}${classSuffix}${claims}`, one);
    const bytes = bytesOf(claim);
    if (bytes === undefined) return usage;
    usage.set(storage, bytes);
    if (storageClass !== "") usage.set(`${storageClass}${classSuffix}${storage}`, bytes);
    return usage;
  },
  isInScope: (claim, scope) =>
    scope.scopeName === "VolumeAttributesClass" &&
    choosesOneOf(scope, volumeAttributesClassesOf(claim)),
  mayTakeMore: (subresource, next, previous) =>
    subresource === "" || (subresource === "status" && mayGiveBack(next, previous)),
  mayGiveBack,
};

function mayGiveBack(next: PersistentVolumeClaim, previous: PersistentVolumeClaim): boolean {
  return (
    bytesOf(next)?.nanos !== bytesOf(previous)?.nanos ||
    volumeAttributesClassesOf(next).join() !== volumeAttributesClassesOf(previous).join()
  );
}

/** What is asked for, or has been given where that is more: an expansion that failed is not yet given back. */
function bytesOf({ spec, status }: PersistentVolumeClaim): Quantity | undefined {
  const asked = whole(spec?.resources?.requests?.["storage"]);
  const given = whole(status?.allocatedResources?.["storage"]);
  if (asked === undefined || given === undefined) return asked;
  return compareQuantities(given, asked) > 0 ? given : asked;
}

/** Quotas count whole bytes. */
function whole(text: string | undefined): Quantity | undefined {
  if (text === undefined) return undefined;
  const quantity = parseQuantity(text);
  const nanosPerByte = one.nanos;
  if (quantity.nanos % nanosPerByte === 0n) return quantity;
  return { nanos: BigInt(wholeUnits(quantity)) * nanosPerByte, format: quantity.format };
}
