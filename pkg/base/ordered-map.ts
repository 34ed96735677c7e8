/** What a scan covers: keys that begin with `prefix`, from after `startAfter` on. */
export interface KeyScan {
  readonly prefix: string;
  readonly startAfter?: string | undefined;
}

interface Leaf<V> {
  readonly keys: readonly string[];
  readonly values: readonly V[];
}

interface Branch<V> {
  /** The lowest key of each child. */
  readonly keys: readonly string[];
  readonly children: readonly Node<V>[];
  readonly size: number;
}

type Node<V> = Leaf<V> | Branch<V>;

/** A node with more entries is split in two; one with fewer than a quarter of it joins a neighbour. */
const nodeEntriesMax = 32;
const nodeEntriesMin = nodeEntriesMax / 4;

/**
 * A map in the order of its keys' UTF-16 code units that never changes: `set` and `delete` return a new map
 * that shares all but the few nodes on one path. Keeping an old version is keeping a reference.
 */
export class OrderedMap<V> {
  readonly #root: Node<V>;

  private constructor(root: Node<V>) {
    this.#root = root;
  }

  static empty<V>(): OrderedMap<V> {
    return new OrderedMap<V>({ keys: [], values: [] });
  }

  get size(): number {
    return sizeOf(this.#root);
  }

  get(key: string): V | undefined {
    let node = this.#root;
    while ("children" in node) node = at(node.children, childIndex(node, key));
    const index = lowerBound(node.keys, key);
    return node.keys[index] === key ? node.values[index] : undefined;
  }

  set(key: string, value: V): OrderedMap<V> {
    const parts = insert(this.#root, key, value);
    return new OrderedMap(parts.length === 1 ? at(parts, 0) : branchOf(parts));
  }

  delete(key: string): OrderedMap<V> {
    const root = remove(this.#root, key);
    if (root === this.#root) return this;
    if ("children" in root && root.children.length === 1)
      return new OrderedMap(at(root.children, 0));
    return new OrderedMap(root);
  }

  /** Calls `visit` with each entry in order, until it returns false. */
  scan(range: KeyScan, visit: (value: V, key: string) => boolean): void {
    scanNode(this.#root, range, visit);
  }

  /** How many keys `range` covers, without visiting them. */
  count(range: KeyScan): number {
    const end = prefixEnd(range.prefix);
    const upTo = end === undefined ? this.size : rank(this.#root, end);
    return Math.max(0, upTo - rank(this.#root, firstKey(range)));
  }
}

/** The lowest key a scan may meet: the key right after `startAfter` is itself with a NUL behind. */
function firstKey(range: KeyScan): string {
  const after = range.startAfter;
  return after === undefined || after < range.prefix ? range.prefix : `${after}\0`;
}

/** The lowest string above all that begin with `prefix`; undefined where there is none. */
function prefixEnd(prefix: string): string | undefined {
  for (let length = prefix.length; length > 0; length--) {
    const last = prefix.charCodeAt(length - 1);
    if (last < 0xffff) return prefix.slice(0, length - 1) + String.fromCharCode(last + 1);
  }
  return undefined;
}

function sizeOf<V>(node: Node<V>): number {
  return "children" in node ? node.size : node.keys.length;
}

/** Indexes below are computed from the same arrays' lengths. */
function at<T>(items: readonly T[], index: number): T {
  return items[index] as T;
}

/** The index of the first key that is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(keys, middle) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The child that holds `key`, or would. */
function childIndex<V>(node: Branch<V>, key: string): number {
  const index = lowerBound(node.keys, key);
  return node.keys[index] === key ? index : Math.max(0, index - 1);
}

function branchOf<V>(children: readonly Node<V>[]): Branch<V> {
  return {
    keys: children.map((child) => at(child.keys, 0)),
    children,
    size: children.reduce((sum, child) => sum + sizeOf(child), 0),
  };
}

/** The node with `key` set: itself in a new version, or the two it had to become. */
function insert<V>(node: Node<V>, key: string, value: V): readonly Node<V>[] {
  if (!("children" in node)) {
    const index = lowerBound(node.keys, key);
    if (node.keys[index] === key)
      return [{ keys: node.keys, values: node.values.with(index, value) }];
    const keys = node.keys.toSpliced(index, 0, key);
    const values = node.values.toSpliced(index, 0, value);
    if (keys.length <= nodeEntriesMax) return [{ keys, values }];
    const middle = splitIndex(keys.length, index);
    return [
      { keys: keys.slice(0, middle), values: values.slice(0, middle) },
      { keys: keys.slice(middle), values: values.slice(middle) },
    ];
  }
  const index = childIndex(node, key);
  const parts = insert(at(node.children, index), key, value);
  if (parts.length === 1) {
    const part = at(parts, 0);
    const lowest = at(part.keys, 0);
    return [
      {
        keys: lowest === node.keys[index] ? node.keys : node.keys.with(index, lowest),
        children: node.children.with(index, part),
        size: node.size + sizeOf(part) - sizeOf(at(node.children, index)),
      },
    ];
  }
  const children = node.children.toSpliced(index, 1, ...parts);
  if (children.length <= nodeEntriesMax) return [branchOf(children)];
  const middle = splitIndex(children.length, index + 1);
  return [branchOf(children.slice(0, middle)), branchOf(children.slice(middle))];
}

/** In the middle; but keys that come in ascending order, as names with counters do, leave full nodes behind. */
function splitIndex(length: number, inserted: number): number {
  return inserted === length - 1 ? length - 1 : length >>> 1;
}

function remove<V>(node: Node<V>, key: string): Node<V> {
  if (!("children" in node)) {
    const index = lowerBound(node.keys, key);
    if (node.keys[index] !== key) return node;
    return { keys: node.keys.toSpliced(index, 1), values: node.values.toSpliced(index, 1) };
  }
  const index = childIndex(node, key);
  const before = at(node.children, index);
  const after = remove(before, key);
  if (after === before) return node;
  if (after.keys.length === 0) {
    const children = node.children.toSpliced(index, 1);
    return children.length === 0 ? { keys: [], values: [] } : branchOf(children);
  }
  if (after.keys.length >= nodeEntriesMin) return branchOf(node.children.with(index, after));
  return joinNeighbour(node.children.with(index, after), index);
}

/** The children as a branch, with the small one at `index` poured into a neighbour that has room for it. */
function joinNeighbour<V>(children: readonly Node<V>[], index: number): Branch<V> {
  for (const left of [index - 1, index]) {
    const [one, two] = [children[left], children[left + 1]];
    if (one === undefined || two === undefined) continue;
    if (one.keys.length + two.keys.length > nodeEntriesMax) continue;
    return branchOf(children.toSpliced(left, 2, joined(one, two)));
  }
  return branchOf(children);
}

/** Siblings are of one height, so both are leaves or both are branches. */
function joined<V>(left: Node<V>, right: Node<V>): Node<V> {
  if ("children" in left && "children" in right)
    return branchOf([...left.children, ...right.children]);
  if ("children" in left || "children" in right) return branchOf([left, right]);
  return { keys: [...left.keys, ...right.keys], values: [...left.values, ...right.values] };
}

/** How many keys are below `key`. */
function rank<V>(root: Node<V>, key: string): number {
  let below = 0;
  let node = root;
  while ("children" in node) {
    const index = childIndex(node, key);
    for (let left = 0; left < index; left++) below += sizeOf(at(node.children, left));
    node = at(node.children, index);
  }
  return below + lowerBound(node.keys, key);
}

/** False once the scan is over. */
function scanNode<V>(
  node: Node<V>,
  range: KeyScan,
  visit: (value: V, key: string) => boolean,
): boolean {
  const first = firstKey(range);
  if ("children" in node) {
    for (let index = childIndex(node, first); index < node.children.length; index++) {
      if (!scanNode(at(node.children, index), range, visit)) return false;
    }
    return true;
  }
  for (let index = lowerBound(node.keys, first); index < node.keys.length; index++) {
    const key = at(node.keys, index);
    if (!key.startsWith(range.prefix) || !visit(at(node.values, index), key)) return false;
  }
  return true;
}
