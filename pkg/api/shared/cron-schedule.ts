/** The bounds of one field of a schedule, and the names that stand for numbers in it. */
interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const fieldBounds: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: weekdays },
];

const descriptors = new Set([
  "@yearly",
  "@annually",
  "@monthly",
  "@weekly",
  "@daily",
  "@midnight",
  "@hourly",
]);

const every = "@every ";

/** What keeps a text from being a schedule, in the words of upstream's cron library; undefined where it is one. */
export function checkCronSchedule(schedule: string): string | undefined {
  let spec = schedule;
  if (/^(CRON_)?TZ=/.test(spec)) {
    const space = spec.indexOf(" ");
    const equals = spec.indexOf("=");
    if (space === -1)
      return "invalid schedule format: runtime error: slice bounds out of range [:-1]";
    const zone = spec.slice(equals + 1, space);
    const problem = checkTimeZone(zone);
    if (problem !== undefined) return `provided bad location ${zone}: ${problem}`;
    spec = spec.slice(space).trim();
  }
  if (spec.startsWith("@")) return checkDescriptor(spec);
  const fields = spec.split(/\s+/).filter((field) => field !== "");
  if (fields.length !== fieldBounds.length) {
    return `expected exactly ${fieldBounds.length} fields, found ${fields.length}: [${fields.join(" ")}]`;
  }
  for (const [index, bounds] of fieldBounds.entries()) {
    for (const range of (fields[index] ?? "").split(",")) {
      const problem = range === "" ? undefined : checkRange(range, bounds);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function checkDescriptor(spec: string): string | undefined {
  if (descriptors.has(spec)) return undefined;
  if (!spec.startsWith(every)) return `unrecognized descriptor: ${spec}`;
  const problem = checkGoDuration(spec.slice(every.length));
  return problem === undefined ? undefined : `failed to parse duration ${spec}: ${problem}`;
}

/** `*`, `3`, `mon-fri`, `10-30/5` */
function checkRange(range: string, { min, max, names }: Bounds): string | undefined {
  const [interval = "", stepText, ...moreSlashes] = range.split("/");
  const [low = "", high, ...moreHyphens] = interval.split("-");
  const isStar = low === "*" || low === "?";
  const start = isStar ? min : parseNumber(low, names);
  if (typeof start === "string") return start;
  let end: number | string = isStar ? max : start;
  if (!isStar && high !== undefined) {
    if (moreHyphens.length > 0) return `too many hyphens: ${range}`;
    end = parseNumber(high, names);
    if (typeof end === "string") return end;
  }
  if (moreSlashes.length > 0) return `too many slashes: ${range}`;
  const step = stepText === undefined ? 1 : parseNumber(stepText, undefined);
  if (typeof step === "string") return step;
  if (stepText !== undefined && high === undefined) end = max;
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${range}`;
  if (end > max) return `end of range (${end}) above maximum (${max}): ${range}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${range}`;
  if (step === 0) return `step of range should be a positive number: ${range}`;
  return undefined;
}

/** The number, or what is wrong with it. */
function parseNumber(text: string, names: readonly string[] | undefined): number | string {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named !== -1) return names === months ? named + 1 : named;
  if (!/^[+-]?[0-9]+$/.test(text)) {
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  }
  const number = Number(text);
  if (!Number.isSafeInteger(number)) {
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`;
  }
  return number < 0 ? `negative number (${number}) not allowed: ${text}` : number;
}

/** As Go's `time.ParseDuration` reads one. */
function checkGoDuration(text: string): string | undefined {
  const unsigned = text.replace(/^[+-]/, "");
  if (unsigned === "0") return undefined;
  const quoted = JSON.stringify(text);
  if (unsigned === "") return `time: invalid duration ${quoted}`;
  let rest = unsigned;
  while (rest !== "") {
    const number = /^([0-9]+(\.[0-9]*)?|\.[0-9]+)/.exec(rest)?.[0];
    if (number === undefined) return `time: invalid duration ${quoted}`;
    rest = rest.slice(number.length);
    const unit = /^[^0-9.]+/.exec(rest)?.[0];
    if (unit === undefined) return `time: missing unit in duration ${quoted}`;
    if (!["ns", "us", "µs", "μs", "ms", "s", "m", "h"].includes(unit)) {
      return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
    }
    rest = rest.slice(unit.length);
  }
  return undefined;
}

/** What keeps a name from being one of the time zones that are known; undefined where it is one. */
export function checkTimeZone(zone: string): string | undefined {
  if (zone === "" || zone === "UTC" || zone === "Local") return undefined;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    // Offsets like "+01:00" are known to this machine, and are no names.
    if (/^[A-Za-z]/.test(zone)) return undefined;
  } catch (caught) {
    if (!(caught instanceof RangeError)) throw caught;
  }
  return `unknown time zone ${zone}`;
}
