/** Writes everything under pkg that is generated, anew. `npm run generate`. */
import "./generate-types.ts";
