import { configMapVolume } from "./config-map.ts";
import { downwardApiVolume } from "./downward-api.ts";
import { emptyDirVolume } from "./empty-dir.ts";
import { hostPathVolume } from "./host-path.ts";
import { projectedVolume } from "./projected.ts";
import { secretVolume } from "./secret.ts";
import type { VolumeKind } from "./volume.ts";

/** Every kind of volume that this node can set up. */
export const volumeKinds: readonly VolumeKind[] = [
  emptyDirVolume,
  configMapVolume,
  secretVolume,
  projectedVolume,
  downwardApiVolume,
  hostPathVolume,
];
