/** Adds each of `more` to `list`: as many as a request's body has room for would not fit into the arguments of one call. */
export function addAll<T>(list: T[], more: readonly T[]): void {
  for (const each of more) list.push(each);
}
