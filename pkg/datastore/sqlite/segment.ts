/** The part of a key up to its first slash: all that lies under it is of one kind. */
export function segmentOf(key: string): string {
  const slash = key.indexOf("/");
  return slash < 0 ? key : key.slice(0, slash + 1);
}
