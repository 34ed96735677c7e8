import { brotliDecompress } from "node:zlib";
import type { Describe } from "./openapi-schema.ts";

/** The prose of `kubectl explain`, out of the file that build/generate-descriptions.ts writes. */
export async function readDescriptions(compressed: Uint8Array): Promise<Describe> {
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    brotliDecompress(compressed, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
  const descriptions = JSON.parse(bytes.toString()) as Readonly<
    Record<string, Readonly<Record<string, string>>>
  >;
  return (definition, field = "") => {
    const described = Object.hasOwn(descriptions, definition)
      ? descriptions[definition]
      : undefined;
    return described !== undefined && Object.hasOwn(described, field)
      ? described[field]
      : undefined;
  };
}
