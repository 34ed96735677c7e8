/**
 * What is known of objects that live on: remembered for the objects that were asked about lately, at most twice
 * `recentMax` of them, and forgotten with the object at the latest.
 */
export class RecentWeakMap<Key extends object, Value> {
  readonly #recentMax: number;
  #recent = new WeakMap<Key, Value>();
  #recentCount = 0;
  #before = new WeakMap<Key, Value>();

  constructor(recentMax: number) {
    this.#recentMax = recentMax;
  }

  get(key: Key): Value | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const before = this.#before.get(key);
    if (before !== undefined) this.set(key, before);
    return before;
  }

  set(key: Key, value: Value): void {
    if (this.#recentCount >= this.#recentMax) {
      this.#before = this.#recent;
      this.#recent = new WeakMap();
      this.#recentCount = 0;
    }
    this.#recent.set(key, value);
    this.#recentCount += 1;
  }
}
