import { ApiError } from "../../api/api-error.ts";
import { type FieldSelector, matchesFieldSelector, parseFieldSelector } from "../../api/fields.ts";
import { matchesSelector, parseSelector, type Selector } from "../../api/labels.ts";
import type { KubernetesObject } from "../../api/object.ts";
import type { ResourceDefinition } from "../../api/resource.ts";

/** Which objects of a kind are meant. */
export interface Selection {
  /** Undefined: every one. */
  readonly matches: ((object: KubernetesObject) => boolean) | undefined;
  /** Where only one name can match. */
  readonly name: string | undefined;
  /** Whether to be of that name is all that is asked. */
  readonly byNameAlone: boolean;
}

const everyObject: Selection = { matches: undefined, name: undefined, byNameAlone: false };

/** Makes the selectors of a request into one test. Throws BadRequest where they cannot be read, or ask for an unknown field. */
export function selectionOf(
  resource: ResourceDefinition,
  labelSelector: string,
  fieldSelector: string,
): Selection {
  if (labelSelector === "" && fieldSelector === "") return everyObject;
  const labels: Selector = labelSelector === "" ? [] : parseSelector(labelSelector);
  const fields: FieldSelector = fieldSelector === "" ? [] : parseFieldSelector(fieldSelector);
  for (const { field } of fields) checkField(resource, field);
  const named = fields.find(({ field, operator }) => field === "metadata.name" && operator === "=");
  return {
    matches: (object) =>
      matchesSelector(labels, object.metadata.labels) &&
      (fields.length === 0 ||
        matchesFieldSelector(fields, (field) => fieldOf(resource, object, field))),
    name: named?.value,
    byNameAlone: named !== undefined && fields.length === 1 && labelSelector === "",
  };
}

function checkField(resource: ResourceDefinition, field: string): void {
  if (field === "metadata.name" || field === "metadata.namespace") return;
  if (Object.hasOwn(resource.selectableFields, field)) return;
  throw ApiError.badRequest(
    Object.keys(resource.selectableFields).length > 0
      ? `field label not supported: ${field}`
      : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}

function fieldOf(resource: ResourceDefinition, object: KubernetesObject, field: string): string {
  if (field === "metadata.name") return object.metadata.name;
  if (field === "metadata.namespace") return object.metadata.namespace ?? "";
  return resource.selectableFields[field]?.(object) ?? "";
}
