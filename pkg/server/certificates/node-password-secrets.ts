import { ApiError } from "../../api/api-error.ts";
import { secretResource } from "../../api/resources/secret.ts";
import type { Client } from "../../client/client.ts";
import type { NodePasswordStore } from "./node-passwords.ts";

const namespace = "kube-system";

/** Keeps the hashes as Secrets, as k3s does, so that every server knows them. */
export function createNodePasswordSecrets(client: Client): NodePasswordStore {
  return {
    async read(name, signal) {
      const secret = await client.get(secretResource, `${namespace}/${name}`, signal);
      const hash = secret?.data?.["hash"];
      return hash === undefined ? undefined : Buffer.from(hash, "base64").toString("utf8");
    },
    async create(name, hash, signal) {
      try {
        await client.create(
          secretResource,
          {
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name, namespace },
            type: "Opaque",
            immutable: true,
            data: { hash: Buffer.from(hash, "utf8").toString("base64") },
          },
          signal,
        );
        return true;
      } catch (caught) {
        if (caught instanceof ApiError && caught.reason === "AlreadyExists") return false;
        throw caught;
      }
    },
  };
}
