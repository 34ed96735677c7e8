import { ApiError } from "../../../api/api-error.ts";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";

/** The container a request for a pod is about: the one it names, or the only one there is. */
export function containerOf(pod: Pod, asked: string): string {
  const { name } = pod.metadata;
  const containers = (pod.spec?.containers ?? []).map((container) => container.name);
  const initial = (pod.spec?.initContainers ?? []).map((container) => container.name);
  const ephemeral = (pod.spec?.ephemeralContainers ?? []).map((container) => container.name);
  if (asked !== "") {
    if ([...containers, ...initial, ...ephemeral].includes(asked)) return asked;
    throw ApiError.badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const [only, ...others] = containers;
  if (only === undefined) {
    throw ApiError.badRequest(`a container name must be specified for pod ${name}`);
  }
  if (others.length === 0) return only;
  let message = `a container name must be specified for pod ${name}, choose one of: [${containers.join(" ")}]`;
  if (initial.length > 0) message += ` or one of the init containers: [${initial.join(" ")}]`;
  throw ApiError.badRequest(message);
}
