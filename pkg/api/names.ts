import { addAll } from "../base/add-all.ts";
import { checkCanonicalIp } from "./ip-address.ts";

/** Says what is wrong with a text, in upstream's sentences; nothing where it is right. */
export type TextCheck = (value: string) => readonly string[];

const none: readonly string[] = [];

/** `must be between 1 and 65535, inclusive` */
export function inclusiveRange(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

function withExamples(sentence: string, pattern: string, ...examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(" or ");
  return `${sentence} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

const charactersMax = (max: number) => `must be no more than ${max} characters`;
const bytesMax = (max: number) => `must be no more than ${max} bytes`;

const labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomainPattern = `${labelPattern}(\\.${labelPattern})*`;
const label1035Pattern = "[a-z]([-a-z0-9]*[a-z0-9])?";
const qualifiedPattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelValuePattern = `(${qualifiedPattern})?`;
const configKeyPattern = "[-._a-zA-Z0-9]+";
const headerPattern = "[-A-Za-z0-9]+";

const labelRegexp = new RegExp(`^${labelPattern}$`);
const subdomainRegexp = new RegExp(`^${subdomainPattern}$`);
const label1035Regexp = new RegExp(`^${label1035Pattern}$`);
const qualifiedRegexp = new RegExp(`^${qualifiedPattern}$`);
const labelValueRegexp = new RegExp(`^${labelValuePattern}$`);
const configKeyRegexp = new RegExp(`^${configKeyPattern}$`);
const headerRegexp = new RegExp(`^${headerPattern}$`);

/** A name of one DNS label: namespaces, containers, port names of endpoints. */
export const checkDnsLabel: TextCheck = (value) => {
  if (value.length <= 63 && labelRegexp.test(value)) return none;
  const found: string[] = [];
  if (value.length > 63) found.push(bytesMax(63));
  if (!labelRegexp.test(value)) {
    found.push(
      subdomainRegexp.test(value)
        ? "must not contain dots"
        : withExamples(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            labelPattern,
            "my-name",
            "123-abc",
          ),
    );
  }
  return found;
};

/** A name of DNS labels with dots between them: what most objects may be called. */
export const checkDnsSubdomain: TextCheck = (value) => {
  if (value.length <= 253 && subdomainRegexp.test(value)) return none;
  const found: string[] = [];
  if (value.length > 253) found.push(bytesMax(253));
  if (!subdomainRegexp.test(value)) {
    found.push(
      withExamples(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        subdomainPattern,
        "example.com",
      ),
    );
  }
  return found;
};

const wildcardPattern = `\\*\\.${subdomainPattern}`;
const wildcardRegexp = new RegExp(`^${wildcardPattern}$`);

/** A host of an Ingress that stands for all names of one more label. */
export const checkWildcardDnsSubdomain: TextCheck = (value) => {
  const found: string[] = [];
  if (value.length > 253) found.push(charactersMax(253));
  if (!wildcardRegexp.test(value)) {
    found.push(
      withExamples(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        wildcardPattern,
        "*.example.com",
      ),
    );
  }
  return found;
};

const urlPathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const urlPathRegexp = new RegExp(`^${urlPathPattern}$`);

/** What may stand after the domain in `acme.io/foo/bar`. */
export const checkUrlPath: TextCheck = (value) =>
  urlPathRegexp.test(value)
    ? none
    : [`Invalid path (regex used for validation is '${urlPathPattern}')`];

/** A DNS label that starts with a letter. */
export const checkDns1035Label: TextCheck = (value) => {
  if (value.length <= 63 && label1035Regexp.test(value)) return none;
  const found: string[] = [];
  if (value.length > 63) found.push(charactersMax(63));
  if (!label1035Regexp.test(value)) {
    found.push(
      withExamples(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        label1035Pattern,
        "my-name",
        "abc-123",
      ),
    );
  }
  return found;
};

/** What may stand as one segment of a URL's path: the names of RBAC objects. */
export const checkPathSegment: TextCheck = (value) => {
  if (value === ".") return ["may not be '.'"];
  if (value === "..") return ["may not be '..'"];
  const found: string[] = [];
  if (value.includes("/")) found.push("may not contain '/'");
  if (value.includes("%")) found.push("may not contain '%'");
  return found;
};

/** A label or annotation key, a resource's name: `name` or `example.com/name`. */
export const checkQualifiedName: TextCheck = (value) => {
  const slash = value.indexOf("/");
  const sentence =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const explained = withExamples(sentence, qualifiedPattern, "MyName", "my.name", "123-abc");
  if (slash !== value.lastIndexOf("/")) {
    return [
      `a qualified name ${explained} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = value.slice(slash + 1);
  const found: string[] = [];
  if (slash !== -1) {
    const prefix = value.slice(0, slash);
    if (prefix === "") found.push("prefix part must be non-empty");
    else
      addAll(
        found,
        checkDnsSubdomain(prefix).map((problem) => `prefix part ${problem}`),
      );
  }
  if (name === "") found.push("name part must be non-empty");
  else if (name.length > 63) found.push(`name part ${bytesMax(63)}`);
  if (!qualifiedRegexp.test(name)) found.push(`name part ${explained}`);
  return found;
};

export const checkLabelValue: TextCheck = (value) => {
  if (value.length <= 63 && labelValueRegexp.test(value)) return none;
  const found: string[] = [];
  if (value.length > 63) found.push(bytesMax(63));
  if (!labelValueRegexp.test(value)) {
    found.push(
      withExamples(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        labelValuePattern,
        "MyValue",
        "my_value",
        "12345",
      ),
    );
  }
  return found;
};

/** A key of a ConfigMap or a Secret. */
export const checkConfigMapKey: TextCheck = (value) => {
  const found: string[] = [];
  if (value.length > 253) found.push(charactersMax(253));
  if (!configKeyRegexp.test(value)) {
    found.push(
      withExamples(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        configKeyPattern,
        "key.name",
        "KEY_NAME",
        "key-name",
      ),
    );
  }
  if (value === ".") found.push("must not be '.'");
  else if (value === "..") found.push("must not be '..'");
  else if (value.startsWith("..")) found.push("must not start with '..'");
  return found;
};

/** An environment variable's name: printable ASCII without `=`. */
export const checkEnvironmentName: TextCheck = (value) => {
  if (value === "") return ["environment variable name must be non-empty"];
  if (/^[ -<>-~]+$/.test(value)) return none;
  return [
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
};

/** A port's name: at most 15 of `[-a-z0-9]`, with a letter. */
export const checkPortName: TextCheck = (value) => {
  const found: string[] = [];
  if (value.length > 15) found.push(charactersMax(15));
  if (!/^[-a-z0-9]+$/.test(value)) {
    found.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(value)) found.push("must contain at least one letter (a-z)");
  if (value.includes("--")) found.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) {
    found.push("must not begin or end with a hyphen");
  }
  return found;
};

export function checkPortNumber(port: number): readonly string[] {
  return port >= 1 && port <= 65_535 ? none : [inclusiveRange(1, 65_535)];
}

export const checkHttpHeaderName: TextCheck = (value) =>
  headerRegexp.test(value)
    ? none
    : [
        withExamples(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          headerPattern,
          "X-Header-Name",
        ),
      ];

/** `25%` */
export const checkPercent: TextCheck = (value) =>
  /^[0-9]+%$/.test(value)
    ? none
    : [
        withExamples(
          "a valid percent string must be a numeric string followed by an ending '%'",
          "[0-9]+%",
          "1%",
          "93%",
        ),
      ];

/** How an object of a kind may be called, by the kind's `nameRule`. */
export const nameChecks: Readonly<
  Record<
    "dns-subdomain" | "dns-label" | "dns-1035-label" | "path-segment" | "ip-address",
    TextCheck
  >
> = {
  "dns-subdomain": checkDnsSubdomain,
  "dns-label": checkDnsLabel,
  "dns-1035-label": checkDns1035Label,
  "path-segment": checkPathSegment,
  "ip-address": checkCanonicalIp,
};
