/** Writes everything under pkg that is generated, anew. `npm run generate`. */
import "./generate-types.ts";
import "./generate-schemas.ts";
import "./generate-registry.ts";
import "./generate-cri.ts";
