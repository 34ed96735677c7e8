import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { passwordSecretName } from "../../api/node-bootstrap.ts";

const hashPassword = promisify<string, Buffer, number, Buffer>(scrypt);
const hashBytes = 64;
const saltBytes = 8;

/** Binds each node name to the password it first came with. */
export interface NodePasswords {
  /** True where the name is new, which takes it, or where the password is the one that took it. */
  admit(nodeName: string, password: string, signal: AbortSignal): Promise<boolean>;
}

/** Where the hashes are kept: Secrets in kube-system. */
export interface NodePasswordStore {
  read(name: string, signal: AbortSignal): Promise<string | undefined>;
  /** False where another one was there first. */
  create(name: string, hash: string, signal: AbortSignal): Promise<boolean>;
}

export function createNodePasswords(store: NodePasswordStore): NodePasswords {
  return {
    async admit(nodeName, password, signal) {
      const name = passwordSecretName(nodeName);
      const stored = await store.read(name, signal);
      if (stored !== undefined) return await matches(stored, password);
      const salt = randomBytes(saltBytes);
      const hash = await hashPassword(password, salt, hashBytes);
      const line = `$1:${salt.toString("hex")}:${hash.toString("base64")}`;
      if (await store.create(name, line, signal)) return true;
      const other = await store.read(name, signal);
      return other !== undefined && (await matches(other, password));
    },
  };
}

async function matches(stored: string, password: string): Promise<boolean> {
  const [version, saltHex = "", hashBase64 = ""] = stored.split(":");
  const expected = Buffer.from(hashBase64, "base64");
  if (version !== "$1" || expected.length !== hashBytes) return false;
  const actual = await hashPassword(password, Buffer.from(saltHex, "hex"), hashBytes);
  return timingSafeEqual(actual, expected);
}
