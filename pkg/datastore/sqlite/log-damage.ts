import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const headerBytes = 32;
const frameHeaderBytes = 24;
const magicBigEndian = 0x377f0683;

/** A page of the log as it lies there. Its sum goes on from the sum of the one before. */
interface Frame {
  readonly at: number;
  /** Ends a transaction. */
  readonly commits: boolean;
  readonly salts: string;
  readonly sum: string;
}

/**
 * Where the write-ahead log `file` is damaged in what was once synced; undefined where it is not. SQLite itself ends at
 * the first page whose sum is wrong, because a power cut leaves such a one behind the last commit that was synced. But
 * where a later transaction goes on from one behind it, that one had been synced: what lies there was acknowledged, and
 * must not be left out in silence.
 */
export function findLogDamage(file: string): { readonly at: number } | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch {
    return undefined;
  }
  try {
    return damageIn(descriptor, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

function damageIn(descriptor: number, length: number): { readonly at: number } | undefined {
  const header = Buffer.alloc(headerBytes);
  if (length < headerBytes + frameHeaderBytes) return undefined;
  readSync(descriptor, header, 0, headerBytes, 0);
  const headerSum = sumOf(header.subarray(0, 24), [0, 0], header);
  const sound = headerSum.join() === [header.readUInt32BE(24), header.readUInt32BE(28)].join();
  const pageBytes = sound ? header.readUInt32BE(8) : 4_096;
  const salts = sound ? header.toString("hex", 16, 24) : undefined;
  let broken: number | undefined = sound ? undefined : 0;
  let previous: Frame | undefined;
  let sum = sound ? headerSum : undefined;
  const bytes = Buffer.alloc(frameHeaderBytes + pageBytes);
  for (let at = headerBytes; at + bytes.length <= length; at += bytes.length) {
    readSync(descriptor, bytes, 0, bytes.length, at);
    const frame = frameOf(bytes, at);
    // Behind the last one lies what is left from before the log began anew.
    if (salts !== undefined && frame.salts !== salts) {
      previous = undefined;
      sum = undefined;
      broken ??= at;
      continue;
    }
    const goesOn =
      sum !== undefined &&
      sumOf(
        bytes.subarray(frameHeaderBytes),
        sumOf(bytes.subarray(0, 8), sum, header),
        header,
      ).join() === frame.sum;
    if (!goesOn) broken ??= at;
    const followsCommit = goesOn && previous?.commits === true && previous.salts === frame.salts;
    if (broken !== undefined && broken < at && followsCommit) return { at: broken };
    previous = frame;
    sum = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  }
  return undefined;
}

function frameOf(bytes: Buffer, at: number): Frame {
  return {
    at,
    commits: bytes.readUInt32BE(4) !== 0,
    salts: bytes.toString("hex", 8, 16),
    sum: [bytes.readUInt32BE(16), bytes.readUInt32BE(20)].join(),
  };
}

type Sum = [number, number];

/** SQLite's sum over words in the byte order that the log's magic number tells. */
function sumOf(bytes: Buffer, from: Sum, header: Buffer): Sum {
  const isLittleEndian = header.readUInt32BE(0) !== magicBigEndian;
  let [first, second] = from;
  for (let at = 0; at < bytes.length; at += 8) {
    const one = isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    const other = isLittleEndian ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4);
    first = (first + one + second) >>> 0;
    second = (second + other + first) >>> 0;
  }
  return [first, second];
}
