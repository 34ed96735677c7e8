/** What a URL and a method ask for, before anything is known of the kinds there are. */
export type RequestInfo =
  | {
      readonly type: "resource";
      readonly group: string;
      readonly version: string;
      /** Lower-case plural, as in the path. */
      readonly resource: string;
      /** "" for none. */
      readonly subresource: string;
      /** "" for none. */
      readonly namespace: string;
      /** "" for none. */
      readonly name: string;
      /** Kubernetes' verb: `get`, `list`, `watch`, `create`, …; "" for a method that stands for none. */
      readonly verb: string;
      /** What follows the subresource, as in `pods/x/proxy/what/follows`; "" for nothing. */
      readonly rest: string;
    }
  | { readonly type: "path"; readonly path: string; readonly verb: string };

const verbOfMethod: ReadonlyMap<string, string> = new Map([
  ["POST", "create"],
  ["GET", "get"],
  ["HEAD", "get"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
]);

/** After `namespaces/<name>` these are subresources of the namespace; any other word is a resource within it. */
const namespaceSubresources: ReadonlySet<string> = new Set(["status", "finalize"]);

/** Reads a request as kube-apiserver's RequestInfoFactory does. Pure; never fails: what is no resource is a path. */
export function requestInfoOf(
  method: string,
  path: string,
  query: URLSearchParams | undefined,
): RequestInfo {
  const asPath: RequestInfo = { type: "path", path, verb: method.toLowerCase() };
  const parts = segmentsOf(path);
  if (parts === undefined) return asPath;
  const prefix = parts[0];
  const first = prefix === "api" ? 1 : prefix === "apis" ? 2 : -1;
  if (first === -1 || parts.length < first + 2) return asPath;

  const group = prefix === "api" ? "" : (parts[1] ?? "");
  const version = parts[first] ?? "";
  let rest = parts.slice(first + 1);
  let verb = verbOfMethod.get(method) ?? "";
  // The old way to ask for a watch, which Kubernetes still answers.
  if (rest[0] === "watch" && rest.length > 1 && verb === "get") {
    verb = "watch";
    rest = rest.slice(1);
  }

  let namespace = "";
  if (rest[0] === "namespaces" && rest.length > 1) {
    namespace = rest[1] ?? "";
    if (rest.length > 2 && !namespaceSubresources.has(rest[2] ?? "")) rest = rest.slice(2);
  }
  const [resource = "", pathName = "", subresource = "", ...more] = rest;
  verb = collectionVerb(verb, pathName, query);
  // A list of one object by name may be granted by that name.
  const name = pathName === "" ? selectedName(verb, query) : pathName;
  return {
    type: "resource",
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    verb,
    rest: more.join("/"),
  };
}

function collectionVerb(verb: string, name: string, query: URLSearchParams | undefined): string {
  if (name === "" && verb === "delete") return "deletecollection";
  if (name !== "" || verb !== "get") return verb;
  return isTrue(query?.get("watch")) ? "watch" : "list";
}

const collectionVerbs: ReadonlySet<string> = new Set(["list", "watch", "deletecollection"]);

function selectedName(verb: string, query: URLSearchParams | undefined): string {
  if (!collectionVerbs.has(verb)) return "";
  const selector = query?.get("fieldSelector");
  const found = selector?.split(",").map((term) => /^metadata\.name==?(.+)$/.exec(term)?.[1]);
  return found?.find((name) => name !== undefined) ?? "";
}

/** As apimachinery reads a boolean query parameter: all but "false" and "0" is true; absent is false. */
export function isTrue(value: string | null | undefined): boolean {
  if (value === null || value === undefined) return false;
  const lower = value.toLowerCase();
  return lower !== "false" && lower !== "0";
}

/** The decoded segments of a path; undefined where one cannot be decoded or hides a slash. */
function segmentsOf(path: string): readonly string[] | undefined {
  const trimmed = withoutOuterSlashes(path);
  if (trimmed === "") return [];
  const segments = trimmed.split("/");
  if (!trimmed.includes("%")) return segments;
  const decoded: string[] = [];
  for (const segment of segments) {
    try {
      decoded.push(...decodeURIComponent(segment).split("/"));
    } catch {
      return undefined;
    }
  }
  return decoded;
}

/** Without an expression: each request passes here. */
function withoutOuterSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (start < end && path.charAt(start) === "/") start += 1;
  while (end > start && path.charAt(end - 1) === "/") end -= 1;
  return path.slice(start, end);
}
