import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileToWrite, writeFilesAtomically } from "../../base/atomic-file.ts";
import { MendableError } from "../../base/mendable-error.ts";
import { formatJoinToken, joinTokenTrusts, parseJoinToken } from "../../client/join-token.ts";

export interface JoinSecretsOptions {
  /** `<data-dir>/server` */
  readonly folder: string;
  /** What `/cacerts` answers. */
  readonly caBundlePem: string;
  /** `--token`: a secret or a whole token; undefined: kept from before, or made. */
  readonly token: string | undefined;
}

/** What admits nodes (and servers) to this cluster. */
export interface JoinSecrets {
  /** `<folder>/token`: with it one may join as a server. */
  readonly serverToken: string;
  /** `<folder>/node-token`: with it one may join as a node. */
  readonly nodeToken: string;
  /** Whether these basic-auth credentials admit a node. Takes the same time for every wrong secret. */
  admitsNode(username: string, secret: string): boolean;
}

/** The cluster's secret from its token file, which is made at the first start. */
export async function openJoinSecrets(options: JoinSecretsOptions): Promise<JoinSecrets> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const tokenFile = join(options.folder, "token");
  const nodeTokenFile = join(options.folder, "node-token");
  const [stored, storedNode] = await Promise.all([readText(tokenFile), readText(nodeTokenFile)]);
  const given = options.token ?? stored?.trim();
  const parsed = given === undefined || given === "" ? undefined : parseJoinToken(given);
  if (parsed === undefined && given !== undefined && given !== "") {
    const from = options.token === undefined ? tokenFile : "--token";
    throw new MendableError(
      `${from} is not a token: give a secret without "::", or K10<hash>::server:<secret>`,
    );
  }
  if (options.token !== undefined && parsed !== undefined) {
    if (!joinTokenTrusts(parsed, options.caBundlePem)) {
      throw new MendableError(
        "--token was made for another CA: give the token of this cluster, or its secret alone",
      );
    }
  }
  const secret = parsed?.secret ?? randomBytes(16).toString("hex");
  const serverToken = formatJoinToken(options.caBundlePem, "server", secret);
  const nodeToken = formatJoinToken(options.caBundlePem, "node", secret);
  const files: FileToWrite[] = [];
  if (stored !== `${serverToken}\n`) {
    files.push({ path: tokenFile, content: `${serverToken}\n`, mode: 0o600 });
  }
  if (storedNode !== `${nodeToken}\n`) {
    files.push({ path: nodeTokenFile, content: `${nodeToken}\n`, mode: 0o600 });
  }
  if (files.length > 0) await writeFilesAtomically(files);
  const expected = digest(secret);
  return {
    serverToken,
    nodeToken,
    admitsNode: (username, candidate) =>
      timingSafeEqual(digest(candidate), expected) &&
      (username === "node" || username === "server"),
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (caught) {
    if (caught instanceof Error && "code" in caught && caught.code === "ENOENT") return undefined;
    throw caught;
  }
}
