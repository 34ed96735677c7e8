/**
 * Buffers of one size that are used again. What is made only to be written is garbage a moment later, and the collector,
 * which counts objects rather than their bytes, would let a hundred megabytes of it gather first.
 */
export class BufferPool {
  readonly bufferBytes: number;
  readonly #keptMax: number;
  readonly #free: Buffer[] = [];

  /** Of the buffers that nobody uses, no more than `keptMax` are kept. */
  constructor(bufferBytes: number, keptMax: number) {
    this.bufferBytes = bufferBytes;
    this.#keptMax = keptMax;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bufferBytes);
  }

  /** Nobody may read it any more. Whoever is not sure of that lets go of a buffer instead. */
  giveBack(buffer: Buffer): void {
    if (this.#free.length < this.#keptMax) this.#free.push(buffer);
  }
}
