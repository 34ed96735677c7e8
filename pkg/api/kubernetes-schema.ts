import type { Schema } from "./schema.ts";

/** The schema of a built-in type, by the name of its OpenAPI definition. */
export declare function kubernetesSchema<T>(definition: string): Schema<T>;
