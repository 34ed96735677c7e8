import { readFileSync } from "node:fs";
import { request } from "node:https";
import { load } from "js-yaml";
import type { Status } from "../../pkg/api/generated/meta-v1.generated.ts";

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** The administrator of a kubeconfig, who writes its own HTTP: what no client would send can be sent. */
export function rawClient(kubeconfigFile: string, address: string) {
  const config = load(readFileSync(kubeconfigFile, "utf8")) as Kubeconfig;
  const decode = (values: Readonly<Record<string, string>> | undefined, key: string) =>
    Buffer.from(values?.[`${key}-data`] ?? "", "base64");
  const user = config.users[0]?.user;
  const tls = {
    host: address,
    port: 6443,
    servername: "kubernetes",
    ca: decode(config.clusters[0]?.cluster, "certificate-authority"),
    cert: decode(user, "client-certificate"),
    key: decode(user, "client-key"),
  };
  return (
    method: string,
    path: string,
    body: string | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawAnswer> =>
    new Promise((resolve, reject) => {
      const sent = request({ ...tls, method, path, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            text: Buffer.concat(parts).toString(),
          }),
        );
      });
      sent.on("error", reject);
      if (body !== undefined) {
        if (!sent.hasHeader("content-type")) sent.setHeader("content-type", "application/json");
        sent.setHeader("content-length", Buffer.byteLength(body));
      }
      sent.end(body);
    });
}

/** An answer that must be a `Status`. */
export function statusOf(answer: RawAnswer): Status {
  const status = JSON.parse(answer.text) as Status & { readonly kind?: string };
  if (status.kind === "Status") return status;
  throw new Error(`no Status but ${answer.status}: ${answer.text.slice(0, 200)}`);
}
