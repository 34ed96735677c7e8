import { ApiError } from "../../api/api-error.ts";

/** Refuses an object that is written under another name than its own, or that has none. */
export function requireName(sent: string | undefined, name: string): void {
  if (sent === name) return;
  throw ApiError.badRequest(
    sent === undefined || sent === ""
      ? `the name of the object (${name} based on URL) was undeterminable: name must be provided`
      : `the name of the object (${sent}) does not match the name on the URL (${name})`,
  );
}
