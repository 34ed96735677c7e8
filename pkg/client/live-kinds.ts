import type { ResourceDefinition } from "../api/resource.ts";

/** The kinds there are: custom ones come, change and go while their readers run. */
export interface LiveKinds {
  /** Each kind once, in the version that it is stored as. A definition may be another value at the next call. */
  readonly stored: readonly ResourceDefinition[];
  /** Calls `changed` after each change, and not for what is there already. Returns the way to stop. */
  subscribe(changed: () => void): () => void;
}
