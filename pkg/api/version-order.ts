/** Orders versions as clients prefer them: v2, v1, v1beta1, v1alpha1, then all others by name. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionRank(a), versionRank(b)];
  for (const [index, rank] of left.entries()) {
    const other = right[index] ?? 0;
    if (rank !== other) return other - rank;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Stability, then major, then minor: each the greater the better. */
function versionRank(version: string): readonly number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return [-1, 0, 0];
  const [, major, stage, minor = "0"] = match;
  const stability = stage === undefined ? 2 : stage === "beta" ? 1 : 0;
  return [stability, Number(major), Number(minor)];
}
