import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatJoinToken, parseJoinToken } from "../../client/join-token.ts";
import { openJoinSecrets } from "./join-secrets.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mini8s-token-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const caBundlePem = "the CA";

test("the secret is made once and found again", async () => {
  const first = await openJoinSecrets({ folder, caBundlePem, token: undefined });
  const second = await openJoinSecrets({ folder, caBundlePem, token: undefined });
  expect(second.nodeToken).toBe(first.nodeToken);
  expect(await readFile(join(folder, "node-token"), "utf8")).toBe(`${first.nodeToken}\n`);
  expect((await stat(join(folder, "token"))).mode & 0o777).toBe(0o600);
  const secret = parseJoinToken(first.nodeToken)?.secret ?? "";
  expect(second.admitsNode("node", secret)).toBe(true);
  expect(second.admitsNode("node", `${secret}x`)).toBe(false);
  expect(second.admitsNode("admin", secret)).toBe(false);
});

test("a secret that was given is the cluster's", async () => {
  const secrets = await openJoinSecrets({ folder, caBundlePem, token: "swordfish" });
  expect(secrets.serverToken).toBe(formatJoinToken(caBundlePem, "server", "swordfish"));
  expect(secrets.admitsNode("node", "swordfish")).toBe(true);
});

test("a token of another cluster, or none at all, is refused", async () => {
  const foreign = formatJoinToken("another CA", "server", "x");
  await expect(openJoinSecrets({ folder, caBundlePem, token: foreign })).rejects.toThrow(
    "--token was made for another CA",
  );
  await expect(openJoinSecrets({ folder, caBundlePem, token: "K10x::y" })).rejects.toThrow(
    "--token is not a token",
  );
  await writeFile(join(folder, "token"), "K10damaged::\n");
  await expect(openJoinSecrets({ folder, caBundlePem, token: undefined })).rejects.toThrow(
    `${join(folder, "token")} is not a token`,
  );
});
