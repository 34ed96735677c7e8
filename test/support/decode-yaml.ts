import { ApiError } from "../../pkg/api/api-error.ts";
import { decodeObject } from "../../pkg/api/codec/decode.ts";
import { parseYaml } from "../../pkg/api/codec/yaml.ts";
import type { Draft, KubernetesObject } from "../../pkg/api/object.ts";
import type { FieldError, ResourceDefinition } from "../../pkg/api/resource.ts";

/** An object as it is after a client's YAML was decoded and the kind's defaults were filled in. */
export function decodeYaml<T extends KubernetesObject>(
  resource: ResourceDefinition<T>,
  text: string,
): Draft<T> {
  const { object } = decodeObject(resource.schema, parseYaml(text).value, {
    fieldValidation: "Strict",
  });
  resource.defaults?.(object, 0);
  return object;
}

/** As `decodeYaml`, and then as it is about to be stored for the first time. */
export function createdFromYaml<T extends KubernetesObject>(
  resource: ResourceDefinition<T>,
  text: string,
): T {
  const draft = decodeYaml(resource, text);
  resource.prepareCreate?.(draft, { username: "somebody", groups: [] }, 0);
  return draft as T;
}

/** What validation says of it, each as `path: type: detail`. */
export function problemsOf<T extends KubernetesObject>(
  resource: ResourceDefinition<T>,
  object: T,
): readonly string[] {
  return (resource.validate?.(object) ?? []).map(
    ({ path, type, detail }) => `${path}: ${type}${detail === "" ? "" : `: ${detail}`}`,
  );
}

/** Why an object of the kind may not be created, each as the answer to the request prints it. */
export function refusalsOf<T extends KubernetesObject>(
  resource: ResourceDefinition<T>,
  object: T,
): readonly string[] {
  return printed(resource, [
    ...(resource.validate?.(object) ?? []),
    ...(resource.validateCreate?.(object) ?? []),
  ]);
}

/** Why an update of `previous` by a client's YAML is refused, each as the answer to the request prints it. */
export function updateRefusalsOf<T extends KubernetesObject>(
  resource: ResourceDefinition<T>,
  previous: T,
  text: string,
): readonly string[] {
  const draft = decodeYaml(resource, text);
  resource.prepareUpdate?.(draft, previous);
  const next = draft as T;
  return printed(resource, [
    ...(resource.validate?.(next) ?? []),
    ...(resource.validateUpdate?.(next, previous) ?? []),
  ]);
}

function printed(
  resource: { readonly group: string; readonly kind: string },
  errors: readonly FieldError[],
): readonly string[] {
  const causes = ApiError.invalid(resource, "", errors).details?.causes ?? [];
  return causes.map(({ field, message }) => `${field}: ${message}`);
}
