/** How many indexes a text like `1,3-5,7` names, or what is wrong with it. */
export type IndexCount = { readonly count: number } | { readonly problem: string };

type Interval = { readonly first: number; readonly last: number } | { readonly problem: string };

/** The indexes of a Job's pods: numbers and intervals below `completions`, each above the one before. */
export function countIndexes(text: string, completions: number): IndexCount {
  if (text === "") return { count: 0 };
  let count = 0;
  let before: number | undefined;
  for (const part of text.split(",")) {
    const interval = parseInterval(part, completions);
    if ("problem" in interval) return interval;
    const { first, last } = interval;
    if (before !== undefined && before >= first) {
      return { problem: `non-increasing order, previous: ${before}, current: ${first}` };
    }
    count += last - first + 1;
    before = last;
  }
  return { count };
}

/** The first index that is in both texts; parts that cannot be read are in neither. */
export function firstCommonIndex(
  one: string,
  other: string,
  completions: number,
): number | undefined {
  const intervals = (text: string) =>
    (text === "" ? [] : text.split(",")).flatMap((part) => {
      const interval = parseInterval(part, completions);
      return "problem" in interval ? [] : [interval];
    });
  const left = intervals(one);
  const right = intervals(other);
  for (let i = 0, j = 0; ; ) {
    const a = left[i];
    const b = right[j];
    if (a === undefined || b === undefined) return undefined;
    if (a.first <= b.last && b.first <= a.last) return Math.max(a.first, b.first);
    if (a.first <= b.first) i += 1;
    else j += 1;
  }
}

function parseInterval(text: string, completions: number): Interval {
  const limits = text.split("-");
  if (limits.length > 2) {
    return {
      problem: `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`,
    };
  }
  const numbers: number[] = [];
  for (const limit of limits) {
    if (!/^[+-]?[0-9]+$/.test(limit)) {
      return { problem: `cannot convert string to integer for index: ${JSON.stringify(limit)}` };
    }
    const number = Number(limit);
    if (number >= completions) return { problem: `too large index: ${JSON.stringify(limit)}` };
    numbers.push(number);
  }
  const [first = 0, last] = numbers;
  if (last === undefined) return { first, last: first };
  if (first >= last) {
    return { problem: `non-increasing order, previous: ${first}, current: ${last}` };
  }
  return { first, last };
}
