import { inspect } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { placesIn, richSamples, samples } from "./fuzz-requests.ts";
import { type Fuzzed, fuzz, startFuzzed } from "./fuzz-run.ts";

/** Requests as nobody should make them: whatever comes, the API answers, in Kubernetes' words, and at once. */
let fuzzed: Fuzzed;
beforeAll(async () => {
  fuzzed = await startFuzzed();
});
afterAll(() => fuzzed[Symbol.asyncDispose]());

test("an object of which any one part is missing, empty or of another shape is stored or refused", async () => {
  const { world, logged } = fuzzed;
  const failures: string[] = [];
  for (const [path, sample] of [samples, richSamples].flatMap((all) => Object.entries(all))) {
    const bodies = placesIn(sample).flatMap((_, at) =>
      [undefined, "", {}, [], [{}], -1].map((next) => changedAt(sample, at, next)),
    );
    await world.request("POST", path, { body: sample });
    const { name } = (sample as { metadata?: { name?: string } }).metadata ?? {};
    const ask = async (body: object) => {
      for (const [method, target] of [
        ["POST", path],
        ["PUT", `${path}/${name}`],
        ["PUT", `${path}/${name}/status`],
      ] as const) {
        const { status, text } = await world.request(method, `${target}?dryRun=All`, { body });
        if (status >= 500) failures.push(`${method} ${target} ${JSON.stringify(body)}: ${text}`);
      }
    };
    while (bodies.length > 0) await Promise.all(bodies.splice(0, 32).map(ask));
  }
  expect(failures, logged.map((each) => inspect(each)).join("\n")).toEqual([]);
}, 40_000);

function changedAt(sample: object, at: number, next: unknown): object {
  const copy = JSON.parse(JSON.stringify(sample)) as object;
  const place = placesIn(copy)[at];
  if (place !== undefined) Reflect.set(place.holder, place.key, next);
  return copy;
}

/** On a machine that others use, too: a stall of ours is told by how much of the processor it took. */
const stallMsMax = 500;

test.each([
  ["always the same requests", Number(process.env["FUZZ_SEED"] ?? 2_026_11_21), 8_000],
  ["others each time", Math.floor(Math.random() * 2 ** 31), 5_000],
])(
  "whatever is asked, the API answers in Kubernetes' words, soon, and lives: %s (seed %d)",
  async (_, seed, forMs) => {
    const { longestStallMs } = await fuzz(fuzzed, { seed, runs: 1_500, forMs });
    expect(longestStallMs).toBeLessThan(stallMsMax);
    expect(fuzzed.logged).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    const alive = await fuzzed.world.request("GET", "/api/v1/namespaces/default");
    expect(alive.status).toBe(200);
  },
  40_000,
);
