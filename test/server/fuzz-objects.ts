import type { Field, FieldType, ObjectSchema } from "../../pkg/api/schema.ts";

/** Numbers that follow from a seed: the same seed makes the same object. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Below `max`. */
  roll(max: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % max;
  }

  one<T>(of: readonly T[]): T {
    return of[this.roll(of.length)] as T;
  }
}

/** Addresses are loopback ones: some objects say where a proxy of the server connects to. */
const words = [
  "a",
  "b",
  "",
  "x",
  "default",
  "fuzz",
  "kubernetes.io/a",
  "example.com",
  "127.0.0.1",
  "::1",
  "127.0.0.0/8",
  "*",
  "TCP",
  "ClusterIP",
  "Always",
  "Never",
  "In",
  "Exists",
  "Equal",
  "Ready",
  "True",
  "self.a > 1",
  "{.spec.a}",
  "constructor",
  "__proto__",
  "toString",
  "A_b",
  "-",
  "a/b/c",
  "1",
  "0",
  "\u0000",
  "\ud800",
  "ü",
  "x".repeat(300),
  "*/5 * * * *",
  "v1",
  "v1beta1",
  "Pod",
  "metadata.name",
  "kubernetes.io/tls",
  "%",
  "..",
  "/",
];
const numbers = [0, 1, -1, 2, 80, 443, 65_535, 65_536, 2 ** 31 - 1, -(2 ** 31), 100_000];
const quantities = [
  "0",
  "1",
  "100m",
  "1Gi",
  "-1",
  "1e3",
  "1.5",
  "x",
  "",
  "9".repeat(40),
  "1n",
  "1E",
];
const times = [
  "2026-11-21T02:03:04Z",
  "2026-11-21T02:03:04.567890Z",
  "0001-01-01T00:00:00Z",
  "x",
  "",
];
const misfits: readonly unknown[] = [
  null,
  "",
  "a",
  0,
  -1,
  1.5,
  true,
  {},
  [],
  [{}],
  [null],
  { a: { b: [1] } },
];

const depthMax = 8;

/** An object of the kind with some of its fields, most of them of their type, at every depth. */
export function objectOf(schema: ObjectSchema, seed: number): Record<string, unknown> {
  const dice = new Dice(seed);
  const made = recordOf(schema, dice, 0);
  return { ...made, metadata: { ...asRecord(made["metadata"]), ...nameOf(dice) } };
}

function nameOf(dice: Dice): object {
  return dice.roll(8) === 0 ? {} : { name: dice.one(["a", "a", "a", "b", "A", ""]) };
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function recordOf(schema: ObjectSchema, dice: Dice, depth: number): Record<string, unknown> {
  const all = [...schema.fields.values()].filter(({ name }) => name !== "managedFields");
  const made: Record<string, unknown> = {};
  const add = (field: Field) => {
    made[field.name] =
      dice.roll(40) === 0 ? dice.one(misfits) : valueFor(field.type, dice, depth + 1);
  };
  for (const field of all) if (field.required && dice.roll(12) !== 0) add(field);
  // The object itself is about its spec, or whatever it has instead.
  const others = all.filter(({ name }) => depth > 0 || (name !== "kind" && name !== "apiVersion"));
  const wanted = depth === 0 ? others.length : dice.roll(Math.min(6, others.length + 1));
  for (let at = 0; at < wanted; at += 1) {
    const field = depth === 0 ? others[at] : dice.one(others);
    if (field !== undefined && depth < depthMax) add(field);
  }
  return made;
}

function valueFor(type: FieldType, dice: Dice, depth: number): unknown {
  switch (type.kind) {
    case "string":
      return type.enum !== undefined && dice.roll(4) > 0 ? dice.one(type.enum) : dice.one(words);
    case "bytes":
      return dice.one(["", "AAE=", "x", "LS0tLS1CRUdJTiBYLS0tLS0KQUFFPQotLS0tLUVORCBYLS0tLS0K"]);
    case "time":
    case "micro-time":
      return dice.one(times);
    case "duration":
      return dice.one(["0s", "1h", "-5m", "x", "1000000h", ""]);
    case "integer":
    case "number":
      return dice.one(numbers);
    case "boolean":
      return dice.roll(2) === 0;
    case "int-or-string":
      return dice.one<unknown>([0, 1, 80, -1, "25%", "http", "", "101%", 1.5]);
    case "quantity":
      return dice.one(quantities);
    case "any":
      return dice.one(misfits);
    case "object":
      return depth >= depthMax ? {} : recordOf(type.schema(), dice, depth);
    case "map":
      return Object.fromEntries(
        several(dice, () => [dice.one(words), valueFor(type.value, dice, depth + 1)] as const),
      );
    case "list":
      return several(dice, () =>
        dice.roll(30) === 0 ? null : valueFor(type.item, dice, depth + 1),
      );
  }
}

function several<T>(dice: Dice, make: () => T): T[] {
  return Array.from({ length: dice.one([0, 1, 1, 1, 2, 3]) }, make);
}
