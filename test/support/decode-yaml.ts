import { decodeObject } from "../../pkg/api/codec/decode.ts";
import { parseYaml } from "../../pkg/api/codec/yaml.ts";
import type { Draft, KubernetesObject } from "../../pkg/api/object.ts";
import type { ResourceDefinition } from "../../pkg/api/resource.ts";

/** An object as it is after a client's YAML was decoded and the kind's defaults were filled in. */
export function decodeYaml<T extends KubernetesObject>(
  resource: ResourceDefinition<T>,
  text: string,
): Draft<T> {
  const { object } = decodeObject(resource.schema, parseYaml(text).value, {
    fieldValidation: "Strict",
  });
  resource.defaults?.(object);
  return object;
}

/** As `decodeYaml`, and then as it is about to be stored for the first time. */
export function createdFromYaml<T extends KubernetesObject>(
  resource: ResourceDefinition<T>,
  text: string,
): T {
  const draft = decodeYaml(resource, text);
  resource.prepareCreate?.(draft);
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
