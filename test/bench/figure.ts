/** One measured thing beside what the machine can do at best in the same run. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** What the floor is, and its value in the same unit; undefined where nothing lower can be named. */
  readonly floor?: { readonly what: string; readonly value: number };
  /** What the design asks for; undefined where it only wants to be known. */
  readonly budget?: number;
  /** Whether a larger value is the better one. */
  readonly better: "more" | "less";
}

function print(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** How far the value is from its floor: 1 is the floor itself, larger is further away. */
function ratio({ value, floor, better }: Figure): string {
  if (floor === undefined || floor.value === 0 || value === 0) return "";
  return `${(better === "less" ? value / floor.value : floor.value / value).toFixed(2)}×`;
}

function verdict({ value, budget, better }: Figure): string {
  if (budget === undefined) return "";
  const met = better === "less" ? value <= budget : value >= budget;
  if (met) return "met";
  const off = better === "less" ? value / budget : budget / value;
  return off >= 2
    ? `missed ${off.toFixed(1)} times over`
    : `missed by ${Math.max(1, Math.round((off - 1) * 100))} %`;
}

/** The figures as a Markdown table. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { name, unit, value, floor, budget, better } = figure;
    const floorText = floor === undefined ? "" : `${print(floor.value)} (${floor.what})`;
    const sign = better === "less" ? "≤" : "≥";
    const budgetText = budget === undefined ? "" : `${sign} ${print(budget)}`;
    return `| ${name} | ${print(value)} ${unit} | ${floorText} | ${ratio(figure)} | ${budgetText} | ${verdict(figure)} |`;
  });
  return [
    "| what | figure | floor | ratio | budget | |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** The middle one of several runs. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which `share` of them lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
