/** The text is no RFC 3339 time. The message is the one that Go's `time.Parse` has for it. */
export class TimeError extends Error {}

const shape = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})([.,]\d+)?(Z|[+-]\d{2}:\d{2})$/;
const canonical = /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ$/;

/** What Kubernetes keeps of a time: whole seconds, in UTC. Throws a `TimeError`. */
export function canonicalTime(text: string): string {
  if (canonical.test(text) && isRealTime(text)) return text;
  return new Date(parseTime(text).seconds * 1_000).toISOString().replace(/\.\d+Z$/, "Z");
}

/** What Kubernetes keeps of a `MicroTime`: six digits of the second, in UTC. Throws a `TimeError`. */
export function canonicalMicroTime(text: string): string {
  const { seconds, nanos } = parseTime(text);
  return printMicroTime(seconds, nanos);
}

export function printTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(/\.\d+Z$/, "Z");
}

export function printMicroTime(seconds: number, nanos: number): string {
  const micros = String(Math.floor(nanos / 1_000)).padStart(6, "0");
  return printTime(seconds).replace("Z", `.${micros}Z`);
}

/** Seconds since the epoch, and the nanoseconds beyond. Throws a `TimeError`. */
export function parseTime(text: string): { readonly seconds: number; readonly nanos: number } {
  const match = shape.exec(text);
  if (match === null) throw refusal(text);
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = match;
  if (Number(month) < 1 || Number(month) > 12) throw outOfRange(text, "month");
  if (Number(hour) > 23) throw outOfRange(text, "hour");
  if (Number(minute) > 59) throw outOfRange(text, "minute");
  if (Number(second) > 59) throw outOfRange(text, "second");
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const wrongDay = Number.isNaN(instant) || new Date(instant).getUTCDate() !== Number(day);
  if (wrongDay) throw outOfRange(text, "day");
  const nanos = Number(fraction.slice(1, 10).padEnd(9, "0"));
  return { seconds: instant / 1_000 - zoneSeconds(zone), nanos };
}

function zoneSeconds(zone: string): number {
  if (zone === "Z") return 0;
  const sign = zone.startsWith("-") ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 3_600 + Number(zone.slice(4)) * 60);
}

function isRealTime(text: string): boolean {
  const instant = Date.parse(text);
  return !Number.isNaN(instant) && new Date(instant).getUTCDate() === Number(text.slice(8, 10));
}

const layout = "2006-01-02T15:04:05Z07:00";

function outOfRange(text: string, part: string): TimeError {
  return new TimeError(`parsing time ${JSON.stringify(text)}: ${part} out of range`);
}

/** Each element of the layout, and what of the text it takes. */
const elements: readonly (readonly [string, RegExp])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d{2}/],
  ["-", /^-/],
  ["02", /^\d{2}/],
  ["T", /^T/],
  ["15", /^\d{2}/],
  [":", /^:/],
  ["04", /^\d{2}/],
  [":", /^:/],
  ["05", /^\d{2}([.,]\d+)?/],
  ["Z07:00", /^(Z|[+-]\d{2}:\d{2})/],
];

function refusal(text: string): TimeError {
  let rest = text;
  const what = JSON.stringify(text);
  for (const [element, form] of elements) {
    const match = form.exec(rest);
    if (match === null) {
      return new TimeError(
        `parsing time ${what} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${element}"`,
      );
    }
    rest = rest.slice(match[0].length);
  }
  return new TimeError(`parsing time ${what}: extra text: ${JSON.stringify(rest)}`);
}
