import { compareElements, type PathElement } from "./path-element.ts";

/** A set of paths into an object, as a tree. Never changed once made, so sets share their branches. */
export type FieldSet = ReadonlyMap<PathElement, FieldNode>;

/** Never without both: a node is in the tree because it is a member, or for the members under it. */
export interface FieldNode {
  /** Whether the path that ends here is itself in the set. */
  readonly member: boolean;
  readonly children: FieldSet;
}

export const noFields: FieldSet = new Map();
/** The path that ends here, and nothing under it. */
export const leaf: FieldNode = { member: true, children: noFields };

export function fieldNode(member: boolean, children: FieldSet): FieldNode | undefined {
  if (children.size === 0) return member ? leaf : undefined;
  return { member, children };
}

/** The set of these paths. */
export function fieldSetOf(paths: readonly (readonly PathElement[])[]): FieldSet {
  return paths.reduce((set, path) => union(set, singlePath(path)), noFields);
}

function singlePath([first, ...rest]: readonly PathElement[]): FieldSet {
  if (first === undefined) return noFields;
  const node = rest.length === 0 ? leaf : fieldNode(false, singlePath(rest));
  return node === undefined ? noFields : new Map([[first, node]]);
}

export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (left.size === 0 || left === right) return right;
  if (right.size === 0) return left;
  const all = new Map(left);
  for (const [element, node] of right) {
    const other = all.get(element);
    all.set(element, other === undefined ? node : unionNodes(other, node));
  }
  return all;
}

function unionNodes(left: FieldNode, right: FieldNode): FieldNode {
  if (left === right) return left;
  const children = union(left.children, right.children);
  const member = left.member || right.member;
  if (children === left.children && member === left.member) return left;
  return { member, children };
}

/** The paths that are in both. */
export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  if (left.size === 0 || right.size === 0) return noFields;
  const [small, large] = left.size <= right.size ? [left, right] : [right, left];
  const both = new Map<PathElement, FieldNode>();
  for (const [element, node] of small) {
    const other = large.get(element);
    if (other === undefined) continue;
    const shared = fieldNode(
      node.member && other.member,
      intersection(node.children, other.children),
    );
    if (shared !== undefined) both.set(element, shared);
  }
  return both;
}

/** The paths of `left` that are not in `right`; a path goes without those under it. `left` itself when none goes. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  return subtract(left, right, differenceNodes);
}

function differenceNodes(left: FieldNode, right: FieldNode): FieldNode | undefined {
  const children = difference(left.children, right.children);
  const member = left.member && !right.member;
  if (children === left.children && member === left.member) return left;
  return fieldNode(member, children);
}

/** The paths of `left` that are neither in `right` nor under a path that is. `left` itself when none goes. */
export function recursiveDifference(left: FieldSet, right: FieldSet): FieldSet {
  return subtract(left, right, (node, other) => {
    if (other.member) return undefined;
    const children = recursiveDifference(node.children, other.children);
    return children === node.children ? node : fieldNode(node.member, children);
  });
}

type Subtract = (node: FieldNode, other: FieldNode) => FieldNode | undefined;

function subtract(left: FieldSet, right: FieldSet, nodes: Subtract): FieldSet {
  if (left.size === 0 || right.size === 0) return left;
  let rest: Map<PathElement, FieldNode> | undefined;
  for (const [element, other] of right) {
    const node = left.get(element);
    if (node === undefined) continue;
    const kept = nodes(node, other);
    if (kept === node) continue;
    rest ??= new Map(left);
    if (kept === undefined) rest.delete(element);
    else rest.set(element, kept);
  }
  if (rest === undefined) return left;
  return rest.size === 0 ? noFields : rest;
}

export function equalFieldSets(left: FieldSet, right: FieldSet): boolean {
  if (left === right) return true;
  if (left.size !== right.size) return false;
  for (const [element, node] of left) {
    const other = right.get(element);
    if (other === undefined || node.member !== other.member) return false;
    if (!equalFieldSets(node.children, other.children)) return false;
  }
  return true;
}

export function hasPath(set: FieldSet, path: readonly PathElement[]): boolean {
  let children: FieldSet | undefined = set;
  let member = false;
  for (const element of path) {
    const node: FieldNode | undefined = children?.get(element);
    member = node?.member ?? false;
    children = node?.children;
  }
  return member;
}

/** The elements of one level in the order they are written in. */
export function sortedElements(set: FieldSet): readonly PathElement[] {
  const elements = [...set.keys()];
  for (let at = 1; at < elements.length; at += 1) {
    // Most sets come out of sorted text, so this loop is nearly always all there is to do.
    if (compareElements(elements[at - 1] ?? "", elements[at] ?? "") > 0) {
      return elements.sort(compareElements);
    }
  }
  return elements;
}

/** Every path in the set: on each level first the paths that end there, then those that go on. */
export function pathsOf(set: FieldSet): readonly (readonly PathElement[])[] {
  const paths: PathElement[][] = [];
  collectPaths(set, [], paths);
  return paths;
}

function collectPaths(set: FieldSet, prefix: readonly PathElement[], paths: PathElement[][]): void {
  const elements = sortedElements(set);
  for (const element of elements) {
    if (set.get(element)?.member === true) paths.push([...prefix, element]);
  }
  for (const element of elements) {
    collectPaths(set.get(element)?.children ?? noFields, [...prefix, element], paths);
  }
}
