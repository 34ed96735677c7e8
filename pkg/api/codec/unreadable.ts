import { ApiError } from "../api-error.ts";
import { JsonError } from "./json-parser.ts";

/** So much of a body is told back. */
const summaryBytesMax = 30;

/** The refusal of a body that is no JSON, YAML or protobuf at all, as upstream words it: why, and how it begins. */
export function unreadableBody(kind: string, bytes: Uint8Array, caught: unknown): ApiError {
  if (caught instanceof ApiError) return caught;
  const what = caught instanceof Error ? caught.message : String(caught);
  const why =
    caught instanceof JsonError ? `couldn't get version/kind; json parse error: ${what}` : what;
  return new ApiError(
    "BadRequest",
    `the object provided is unrecognized (must be of type ${kind}): ${why} (${summaryOf(bytes)})`,
    { cause: caught },
  );
}

function summaryOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const head = Buffer.from(bytes.subarray(0, summaryBytesMax));
  const text = bytes[0] === 0x7b ? head.toString("utf8") : head.toString("hex");
  return bytes.length > summaryBytesMax ? `${text} ...` : text;
}
