import { isIPv4, isIPv6 } from "node:net";
import { type CustomResourceDefinition, schemaOf } from "./definition.ts";
import { type JsonSchema, someSchema } from "./json-schema.ts";
import { compilePattern } from "./pattern.ts";

/** Says whether a text is of a format. */
type FormatCheck = (text: string) => boolean;

/** The checked format of a schema; undefined where it has none, or one that means nothing to its type. */
export function formatOf(schema: JsonSchema): string | undefined {
  const { format } = schema;
  if (format === undefined || format === "") return undefined;
  return isKnownFormat(format, schema) ? format : undefined;
}

/** A warning for each format that is not going to be checked. */
function unrecognizedFormat(schema: JsonSchema): string | undefined {
  const { format } = schema;
  if (format === undefined || format === "" || isKnownFormat(format, schema)) return undefined;
  return `unrecognized format ${JSON.stringify(format)}`;
}

/** What checks texts against a format; undefined where nothing does. */
export function formatCheck(format: string): FormatCheck | undefined {
  const name = normalized(format);
  return Object.hasOwn(checks, name) ? checks[name] : undefined;
}

function isKnownFormat(format: string, schema: JsonSchema): boolean {
  const type = schema["x-kubernetes-int-or-string"] === true ? "" : (schema.type ?? "");
  switch (type) {
    case "":
    case "string":
      return formatCheck(format) !== undefined;
    case "integer":
      return format === "int32" || format === "int64";
    case "number":
      return format === "float" || format === "double";
    default:
      return false;
  }
}

function normalized(format: string): string {
  return format.replaceAll("-", "");
}

const uuid = (third: string, fourth: string): FormatCheck => {
  const pattern = new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${third}-?${fourth}-?[0-9a-f]{12}$`, "i");
  return (text) => pattern.test(text);
};

const hostname = compilePattern(
  "^([a-zA-Z0-9\\p{S}\\p{L}]((-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?)|([a-zA-Z0-9\\p{S}\\p{L}](([a-zA-Z0-9-\\p{S}\\p{L}]{0,61}[a-zA-Z0-9\\p{S}\\p{L}])?)(\\.)){1,}([a-zA-Z\\p{L}]){2,63})$",
);

/** By their names without dashes. */
const checks: Readonly<Record<string, FormatCheck>> = {
  bsonobjectid: (text) => /^[0-9a-fA-F]{24}$/.test(text),
  uri: isRequestUri,
  email: isEmail,
  hostname: (text) =>
    Buffer.byteLength(text) <= 255 &&
    hostname.test(text) &&
    text.split(".").every((label) => Buffer.byteLength(label) <= 63),
  ipv4: isSloppyIpv4,
  ipv6: (text) => isIPv6(text) && !text.includes("%"),
  cidr: isCidr,
  mac: (text) =>
    /^([0-9a-f]{2}([:-])[0-9a-f]{2}(\2[0-9a-f]{2}){4}((\2[0-9a-f]{2}){2})?((\2[0-9a-f]{2}){12})?|[0-9a-f]{4}(\.[0-9a-f]{4}){2}(\.[0-9a-f]{4})?((\.[0-9a-f]{4}){6})?)$/i.test(
      text,
    ),
  uuid: uuid("[0-9a-f]{4}", "[0-9a-f]{4}"),
  uuid3: uuid("3[0-9a-f]{3}", "[0-9a-f]{4}"),
  uuid4: uuid("4[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
  uuid5: uuid("5[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  rgbcolor: isRgbColor,
  byte: (text) =>
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(text),
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text),
  k8slongname: (text) =>
    text.length <= 253 &&
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
};

/** As Go's url.ParseRequestURI: an absolute URI, or an absolute path. */
function isRequestUri(text: string): boolean {
  if (text === "" || hasControlCharacter(text)) return false;
  if (/%(?![0-9a-fA-F]{2})/.test(text.split("?")[0] ?? "")) return false;
  if (text.startsWith("/") || text === "*") return true;
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:(.*)$/s.exec(text);
  if (scheme === null) return false;
  const rest = scheme[1] ?? "";
  if (!rest.startsWith("//")) return true;
  const authority = rest.slice(2).split(/[/?#]/)[0] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return /^(\[[0-9a-fA-F:.]+(%25[^\]]+)?\]|[^[\]\s<>"{}|\\^`]*?)(:[0-9]*)?$/.test(host);
}

function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** An address as Go's net/mail reads it: `a@b`, and `Name <a@b>`. */
function isEmail(text: string): boolean {
  const bracketed = /^[^<>]*<([^<>]+)>\s*$/.exec(text);
  const address = (bracketed?.[1] ?? text).trim();
  const at = address.lastIndexOf("@");
  if (at <= 0) return false;
  const local = address.slice(0, at);
  const domain = address.slice(at + 1);
  const isAtoms = (part: string) =>
    part.split(".").every((atom) => /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff-]+$/.test(atom));
  const isLocal = isAtoms(local) || /^"([^"\\]|\\.)*"$/.test(local);
  return isLocal && (isAtoms(domain) || /^\[[^[\]\\]*\]$/.test(domain));
}

/** Leading zeros are read over, as they always were. */
function isSloppyIpv4(text: string): boolean {
  if (isIPv6(text)) return text.includes(".");
  return isIPv4(withoutLeadingZeros(text));
}

function withoutLeadingZeros(text: string): string {
  return text
    .split(".")
    .map((part) => part.replace(/^0+(?=[0-9])/, ""))
    .join(".");
}

function isCidr(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash === -1) return false;
  const bits = text.slice(slash + 1);
  if (!/^[0-9]{1,3}$/.test(bits)) return false;
  const address = text.slice(0, slash);
  if (isIPv6(address)) return !address.includes("%") && Number(bits) <= 128;
  return isIPv4(withoutLeadingZeros(address)) && Number(bits) <= 32;
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, "");
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < 10; at += 1) {
    const digit = digits[at] === "X" ? 10 : Number(digits[at]);
    sum += (at + 1) * digit;
  }
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, "");
  if (!/^[0-9]{13}$/.test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < 12; at += 1) sum += (at % 2 === 0 ? 1 : 3) * Number(digits[at]);
  return Number(digits[12]) === (10 - (sum % 10)) % 10;
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, "");
  const issuers =
    /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;
  if (!issuers.test(digits)) return false;
  let sum = 0;
  for (let at = digits.length - 1, doubles = false; at >= 0; at -= 1, doubles = !doubles) {
    const digit = Number(digits[at]) * (doubles ? 2 : 1);
    sum += digit >= 10 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

function isRgbColor(text: string): boolean {
  const part = "\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*";
  return new RegExp(`^rgb\\(${part},${part},${part}\\)$`).test(text);
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text);
}

function isDateTime(text: string): boolean {
  if (text.length < 4) return false;
  const [date = "", time] = text.toLowerCase().split("t");
  if (time === undefined || !isDate(date)) return false;
  const parts = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/.exec(
    time,
  );
  if (parts === null) return false;
  const [, hours = "", minutes = "", seconds = ""] = parts;
  return hours <= "23" && minutes <= "59" && seconds <= "59";
}

const goDuration = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const longUnits = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];
const shortUnits = ["ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"];

/** A Go duration, or a number of units as Scala writes them: `22 ns`, `3 days`. */
function isDuration(text: string): boolean {
  if (goDuration.test(text)) return true;
  for (const [, , unit = ""] of text.matchAll(/(?<!\d)(\d+)\s*([A-Za-zµ]+)/g)) {
    const lower = unit.toLowerCase();
    if (shortUnits.includes(lower) || longUnits.some((long) => lower.startsWith(long))) return true;
  }
  return false;
}

/** A warning for each format of a definition's schemas that is not going to be checked. */
export function unrecognizedFormats({ spec }: CustomResourceDefinition): readonly string[] {
  const warnings: string[] = [];
  for (const version of spec.versions) {
    someSchema(schemaOf(version), (schema) => {
      const warning = unrecognizedFormat(schema);
      if (warning !== undefined) warnings.push(warning);
      return false;
    });
  }
  return [...new Set(warnings)];
}
