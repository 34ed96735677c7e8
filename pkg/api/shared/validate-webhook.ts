import { addAll } from "../../base/add-all.ts";
import { invalid, required } from "../field-error.ts";
import { checkDnsSubdomain, checkPortNumber } from "../names.ts";
import type { FieldError } from "../resource.ts";

/** Where the server reaches a webhook. */
export interface WebhookClient {
  readonly url?: string;
  readonly service?: WebhookService;
}

interface WebhookService {
  readonly name: string;
  readonly namespace: string;
  readonly path?: string;
  readonly port?: number;
}

/** Of a `clientConfig`: a URL, or a Service. */
export function validateWebhookClient(
  { service, url }: WebhookClient,
  path: string,
): readonly FieldError[] {
  if ((url === undefined) === (service === undefined)) {
    return [required(path, "exactly one of url or service is required")];
  }
  if (url !== undefined) return validateUrl(url, `${path}.url`);
  return service === undefined ? [] : validateWebhookService(service, `${path}.service`);
}

const form = "; desired format: https://host[/path]";

function validateUrl(text: string, path: string): readonly FieldError[] {
  const parts =
    /^(?:([a-zA-Z][-+.a-zA-Z0-9]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(
      text,
    );
  const [, scheme = "", authority = "", , query = "", fragment = ""] = parts ?? [];
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== "https") {
    errors.push(
      invalid(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${form}`),
    );
  }
  if (host === "") errors.push(invalid(path, host, `host must be specified${form}`));
  if (at !== -1) {
    const user = authority.slice(0, at);
    errors.push(invalid(path, user, "user information is not permitted in the URL"));
  }
  if (fragment !== "") {
    errors.push(invalid(path, fragment, "fragments are not permitted in the URL"));
  }
  if (query !== "") {
    errors.push(invalid(path, query, "query parameters are not permitted in the URL"));
  }
  return errors;
}

/** Of the Service that a webhook is reached by. As upstream's, it names the one of the two names that is there. */
export function validateWebhookService(
  { name, namespace, path: urlPath = "", port = 0 }: WebhookService,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (namespace === "") errors.push(required(`${path}.name`));
  if (name === "") errors.push(required(`${path}.namespace`));
  const portProblems = checkPortNumber(port);
  if (portProblems.length > 0) {
    errors.push(invalid(`${path}.port`, port, `port is not valid: ${portProblems.join(", ")}`));
  }
  for (const detail of checkServicePath(urlPath)) {
    errors.push(invalid(`${path}.path`, urlPath, detail));
  }
  return errors;
}

function checkServicePath(urlPath: string): readonly string[] {
  if (urlPath === "" || urlPath === "/") return [];
  if (urlPath === "//") return ["segment[0] may not be empty"];
  const details: string[] = [];
  if (!urlPath.startsWith("/")) details.push("must start with a '/'");
  const steps = urlPath.slice(1).replace(/\/$/, "").split("/");
  steps.forEach((step, index) => {
    if (step === "") details.push(`segment[${index}] may not be empty`);
    else
      addAll(
        details,
        checkDnsSubdomain(step).map((detail) => `segment[${index}]: ${detail}`),
      );
  });
  return details;
}
