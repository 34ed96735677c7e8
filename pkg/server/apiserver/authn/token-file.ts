import { createHash } from "node:crypto";
import { MendableError } from "../../../base/mendable-error.ts";
import type { UserInfo } from "./authenticator.ts";
import { forAudiences, type TokenAuthenticator } from "./token-authenticator.ts";

/** The users of kube-apiserver's `--token-auth-file`, by the SHA-256 of their tokens: `token,name,uid,"group,group"` in each line. */
export function readTokenFile(path: string, text: string): ReadonlyMap<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  for (const record of readCsv(path, text)) {
    const [token = "", username = "", uid = "", groups] = record;
    if (record.length < 3) {
      throw new MendableError(
        `token file '${path}' must have at least 3 columns (token, user name, user uid), found ${record.length}`,
      );
    }
    if (token === "") continue;
    users.set(digest(token), {
      username,
      ...(uid === "" ? {} : { uid }),
      groups: groups === undefined ? [] : groups.split(","),
    });
  }
  return users;
}

/** Tokens that stay the same as long as the server runs. */
export function createTokenFileAuthenticator(
  users: ReadonlyMap<string, UserInfo>,
  audiences: readonly string[],
): TokenAuthenticator {
  // By digests, how long a look-up takes tells nothing of the tokens.
  return forAudiences(audiences, (token) => users.get(digest(token)));
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}

/** Lines of values with commas between them; a value in quotes may hold commas, line ends, and doubled quotes. */
function readCsv(path: string, text: string): readonly (readonly string[])[] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  const value = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;
  while (at < text.length) {
    value.lastIndex = at;
    const match = value.exec(text);
    record.push(match?.[1]?.replaceAll('""', '"') ?? match?.[2] ?? "");
    at = value.lastIndex;
    const end = /,|\r?\n|$/y;
    end.lastIndex = at;
    const separator = end.exec(text);
    if (separator === null) {
      throw new MendableError(
        `token file '${path}', line ${records.length + 1}: a quote stands within a value`,
      );
    }
    at = end.lastIndex;
    if (separator[0] === ",") {
      if (at === text.length) record.push("");
      else continue;
    }
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  return records;
}
