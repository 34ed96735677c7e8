import { addAll } from "../../base/add-all.ts";

interface Block {
  readonly left: number;
  readonly right: number;
  readonly size: number;
}

/** A stretch of both texts: the same in both where `same`, else what the one has instead of the other. */
interface Stretch {
  readonly same: boolean;
  readonly left: readonly [from: number, to: number];
  readonly right: readonly [from: number, to: number];
}

type Range = readonly [leftFrom: number, leftTo: number, rightFrom: number, rightTo: number];

const contextLines = 3;
/** Of longer texts, nothing is said: comparing them would take long, and nobody would read it. */
const comparedLinesMax = 2_000;
/** In a text as long as this, a line that is there again and again says nothing of where the texts meet. */
const popularLinesFrom = 200;

/**
 * What differs between two texts, as `@@ -1,3 +1,3 @@` and lines that begin with a space, `-` or `+`: what upstream
 * puts into a message when something immutable was changed. Texts that are equal have none.
 */
export function unifiedDiff(before: string, after: string): string {
  const left = before.split("\n");
  const right = after.split("\n");
  if (Math.max(left.length, right.length) > comparedLinesMax) return "";
  return hunksOf(stretchesOf(left, right))
    .map((hunk) => printHunk(hunk, left, right))
    .join("");
}

function printHunk(
  hunk: readonly Stretch[],
  left: readonly string[],
  right: readonly string[],
): string {
  const first = hunk[0];
  const last = hunk.at(-1);
  if (first === undefined || last === undefined) return "";
  const lines = [
    `@@ -${printRange(first.left[0], last.left[1])} +${printRange(first.right[0], last.right[1])} @@`,
  ];
  for (const stretch of hunk) {
    const removed = left.slice(...stretch.left);
    if (stretch.same)
      addAll(
        lines,
        removed.map((line) => ` ${line}`),
      );
    else {
      addAll(
        lines,
        removed.map((line) => `-${line}`),
      );
      addAll(
        lines,
        right.slice(...stretch.right).map((line) => `+${line}`),
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

function printRange(from: number, to: number): string {
  const length = to - from;
  if (length === 1) return String(from + 1);
  return `${length === 0 ? from : from + 1},${length}`;
}

/** Groups of stretches with a few equal lines around them; what is far from any difference is left out. */
function hunksOf(stretches: readonly Stretch[]): readonly (readonly Stretch[])[] {
  const hunks: Stretch[][] = [];
  let hunk: Stretch[] = [];
  stretches.forEach((stretch, index) => {
    if (!stretch.same) {
      hunk.push(stretch);
      return;
    }
    const [leftFrom, leftTo] = stretch.left;
    const [rightFrom, rightTo] = stretch.right;
    const head: Stretch = {
      same: true,
      left: [leftFrom, Math.min(leftTo, leftFrom + contextLines)],
      right: [rightFrom, Math.min(rightTo, rightFrom + contextLines)],
    };
    const tail: Stretch = {
      same: true,
      left: [Math.max(leftFrom, leftTo - contextLines), leftTo],
      right: [Math.max(rightFrom, rightTo - contextLines), rightTo],
    };
    const isFirst = index === 0;
    const isLast = index === stretches.length - 1;
    if (isFirst && isLast) return;
    if (isFirst) hunk.push(tail);
    else if (isLast) hunk.push(head);
    else if (leftTo - leftFrom <= 2 * contextLines) hunk.push(stretch);
    else {
      hunks.push([...hunk, head]);
      hunk = [tail];
    }
  });
  if (hunk.length > 0) hunks.push(hunk);
  return hunks;
}

function stretchesOf(left: readonly string[], right: readonly string[]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let leftAt = 0;
  let rightAt = 0;
  const end: Block = { left: left.length, right: right.length, size: 0 };
  for (const block of [...matchingBlocks(left, right), end]) {
    if (leftAt < block.left || rightAt < block.right) {
      stretches.push({
        same: false,
        left: [leftAt, block.left],
        right: [rightAt, block.right],
      });
    }
    leftAt = block.left + block.size;
    rightAt = block.right + block.size;
    if (block.size > 0) {
      stretches.push({
        same: true,
        left: [block.left, leftAt],
        right: [block.right, rightAt],
      });
    }
  }
  return stretches;
}

/** The longest equal stretch, and in the same way those before and behind it; neighbours are one. */
function matchingBlocks(left: readonly string[], right: readonly string[]): readonly Block[] {
  const positions = new Map<string, number[]>();
  right.forEach((line, index) => {
    const known = positions.get(line);
    if (known === undefined) positions.set(line, [index]);
    else known.push(index);
  });
  if (right.length >= popularLinesFrom) {
    const often = Math.floor(right.length / 100) + 1;
    for (const [line, known] of positions) if (known.length > often) positions.delete(line);
  }
  const found: Block[] = [];
  const open: Range[] = [[0, left.length, 0, right.length]];
  for (let range = open.pop(); range !== undefined; range = open.pop()) {
    const [leftFrom, leftTo, rightFrom, rightTo] = range;
    const block = longestMatch(left, right, positions, range);
    if (block.size === 0) continue;
    found.push(block);
    open.push([leftFrom, block.left, rightFrom, block.right]);
    open.push([block.left + block.size, leftTo, block.right + block.size, rightTo]);
  }
  return joined(found.sort((one, other) => one.left - other.left));
}

function joined(blocks: readonly Block[]): readonly Block[] {
  const result: Block[] = [];
  for (const block of blocks) {
    const last = result.at(-1);
    const isNext =
      last !== undefined &&
      last.left + last.size === block.left &&
      last.right + last.size === block.right;
    if (isNext) result[result.length - 1] = { ...last, size: last.size + block.size };
    else result.push(block);
  }
  return result;
}

/** Of several that are equally long, the one that comes first on the left, and then on the right. */
function longestMatch(
  left: readonly string[],
  right: readonly string[],
  positions: ReadonlyMap<string, readonly number[]>,
  [leftFrom, leftTo, rightFrom, rightTo]: Range,
): Block {
  let best: Block = { left: leftFrom, right: rightFrom, size: 0 };
  let lengths = new Map<number, number>();
  for (let at = leftFrom; at < leftTo; at += 1) {
    const next = new Map<number, number>();
    for (const index of positions.get(left[at] ?? "") ?? []) {
      if (index < rightFrom || index >= rightTo) continue;
      const size = (lengths.get(index - 1) ?? 0) + 1;
      next.set(index, size);
      if (size > best.size) best = { left: at - size + 1, right: index - size + 1, size };
    }
    lengths = next;
  }
  return extended(best, left, right, [leftFrom, leftTo, rightFrom, rightTo]);
}

/** With the equal lines before and behind that were left out for being popular. */
function extended(
  block: Block,
  left: readonly string[],
  right: readonly string[],
  [leftFrom, leftTo, rightFrom, rightTo]: Range,
): Block {
  let { left: leftAt, right: rightAt, size } = block;
  while (leftAt > leftFrom && rightAt > rightFrom && left[leftAt - 1] === right[rightAt - 1]) {
    leftAt -= 1;
    rightAt -= 1;
    size += 1;
  }
  while (
    leftAt + size < leftTo &&
    rightAt + size < rightTo &&
    left[leftAt + size] === right[rightAt + size]
  ) {
    size += 1;
  }
  return { left: leftAt, right: rightAt, size };
}
