import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Container, HTTPGetAction } from "../../api/generated/core-v1.generated.ts";

export type HttpOutcome =
  | { readonly outcome: "answered"; readonly code: number; readonly body: string }
  | { readonly outcome: "failed"; readonly message: string };

/** More of a body is not read: it would only be shown. */
const bodyBytesMax = 10 * 1024;
const redirectsMax = 10;

/** The port of an action: a number, or the name of one of the container's ports. */
export function resolvePort(port: number | string, container: Container): number {
  if (typeof port === "number") return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? Number(port);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`couldn't find port: "${port}" in container ${container.name}`);
}

/** Performs the action as a kubelet does: certificates are not checked, redirects to the same host are followed. */
export async function httpGet(
  action: HTTPGetAction,
  container: Container,
  podIp: string,
  timeoutMs: number,
): Promise<HttpOutcome> {
  const host = (action.host ?? "") || podIp;
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const bracketed = host.includes(":") ? `[${host}]` : host;
  const path = action.path ?? "/";
  const port = resolvePort(action.port, container);
  const slash = path.startsWith("/") ? "" : "/";
  let url = new URL(`${scheme}://${bracketed}:${port}${slash}${path}`);
  const headers: Record<string, string> = { "User-Agent": "kube-probe/1.36", Accept: "*/*" };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  const signal = AbortSignal.timeout(timeoutMs);
  for (let redirects = 0; ; redirects += 1) {
    const answer = await once(url, headers, signal);
    if (answer.outcome === "failed") return answer;
    const target = redirectTarget(url, answer.code, answer.location);
    // A redirect elsewhere is an answer: whether that other place is well is not the question.
    if (target === undefined || target.hostname !== url.hostname || redirects >= redirectsMax)
      return { outcome: "answered", code: answer.code, body: answer.body };
    url = target;
  }
}

function redirectTarget(from: URL, code: number, location: string | undefined): URL | undefined {
  if (location === undefined || ![301, 302, 303, 307, 308].includes(code)) return undefined;
  return URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

type Exchange =
  | { readonly outcome: "failed"; readonly message: string }
  | {
      readonly outcome: "answered";
      readonly code: number;
      readonly body: string;
      readonly location: string | undefined;
    };

function once(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Exchange> {
  return new Promise((resolve) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      const why = signal.aborted
        ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        : connectFailure(cause, url);
      resolve({ outcome: "failed", message: `Get "${url.href}": ${why}` });
    };
    const options = { headers, signal, agent: false as const };
    const onAnswer = (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = () =>
        resolve({
          outcome: "answered",
          code: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString("utf8", 0, bodyBytesMax),
          location: response.headers.location,
        });
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= bodyBytesMax) {
          done();
          response.destroy();
        }
      });
      response.on("end", done);
      response.on("error", fail);
    };
    const request =
      url.protocol === "https:"
        ? httpsRequest(url, { ...options, rejectUnauthorized: false }, onAnswer)
        : httpRequest(url, options, onAnswer);
    request.on("error", fail);
    request.end();
  });
}

/** In the words of Go's dialer, which users know from `kubectl describe`. */
export function connectFailure(
  cause: NodeJS.ErrnoException,
  target: { readonly hostname: string; readonly port: string; readonly protocol?: string },
): string {
  const port = target.port || (target.protocol === "https:" ? "443" : "80");
  const prefix = `dial tcp ${target.hostname}:${port}:`;
  switch (cause.code) {
    case "ECONNREFUSED":
      return `${prefix} connect: connection refused`;
    case "EHOSTUNREACH":
      return `${prefix} connect: no route to host`;
    case "ENETUNREACH":
      return `${prefix} connect: network is unreachable`;
    case "ECONNRESET":
      return "read: connection reset by peer";
    default:
      return cause.message === "socket hang up" ? "EOF" : cause.message;
  }
}
