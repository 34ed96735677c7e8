import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Secret,
} from "../../../api/generated/core-v1.generated.ts";
import type { DirectoryFile } from "../../host/atomic-directory.ts";
import { fieldValue, resourceValue } from "../environment.ts";
import { type VolumeContext, VolumeError } from "./volume.ts";

const defaultMode = 0o644;

/** The files of a ConfigMap: all keys, or the `items`. */
export function configMapFiles(
  configMap: ConfigMap,
  items: readonly KeyToPath[] | undefined,
  mode: number | undefined,
  optional: boolean,
): readonly DirectoryFile[] {
  const data = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(configMap.data ?? {}))
    data.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(configMap.binaryData ?? {}))
    data.set(key, Buffer.from(value, "base64"));
  return select(data, items, mode, optional);
}

/** The files of a Secret: all keys, or the `items`. */
export function secretFiles(
  secret: Secret,
  items: readonly KeyToPath[] | undefined,
  mode: number | undefined,
  optional: boolean,
): readonly DirectoryFile[] {
  const data = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(secret.data ?? {}))
    data.set(key, Buffer.from(value, "base64"));
  return select(data, items, mode, optional);
}

function select(
  data: ReadonlyMap<string, Uint8Array>,
  items: readonly KeyToPath[] | undefined,
  mode = defaultMode,
  optional: boolean,
): readonly DirectoryFile[] {
  if (items === undefined || items.length === 0)
    return [...data].map(([path, content]) => ({ path, content, mode }));
  return items.flatMap((item) => {
    const content = data.get(item.key);
    if (content !== undefined) return [{ path: item.path, content, mode: item.mode ?? mode }];
    if (optional) return [];
    throw new VolumeError(`references non-existent config key: ${item.key}`);
  });
}

/** The files of a downward API volume. */
export function downwardFiles(
  files: readonly DownwardAPIVolumeFile[],
  mode: number | undefined,
  { fields }: Pick<VolumeContext, "fields">,
): readonly DirectoryFile[] {
  return files.map((file) => {
    const [first] = fields.pod.spec.containers;
    const text =
      file.fieldRef !== undefined
        ? fieldValue(file.fieldRef, fields)
        : file.resourceFieldRef !== undefined && first !== undefined
          ? resourceValue(file.resourceFieldRef, fields.pod, first, fields.allocatable)
          : "";
    return { path: file.path, content: Buffer.from(text), mode: file.mode ?? mode ?? defaultMode };
  });
}
