/** One of those among whom seats are divided. */
export interface Claim {
  readonly lowest: number;
  readonly highest: number;
  /** What it would get if all were in proportion. */
  readonly target: number;
}

/** A target of nothing would be in no proportion to anything. */
const targetMin = 0.001;
const halvingsMax = 100;

/**
 * Divides `seats` in proportion to the targets as far as the bounds allow: there is one factor such that each gets its
 * target times that, or the bound it runs into, and together all there is. Undefined where the bounds leave no way.
 */
export function allotSeats(seats: number, claims: readonly Claim[]): number[] | undefined {
  const sumOf = (part: (claim: Claim) => number) =>
    claims.reduce((sum, claim) => sum + part(claim), 0);
  const tolerance = 1e-6;
  if (sumOf(({ lowest }) => lowest) > seats + tolerance) return undefined;
  if (sumOf(({ highest }) => highest) < seats - tolerance) return undefined;
  const shareOf = ({ lowest, highest, target }: Claim, factor: number) =>
    Math.max(lowest, Math.min(highest, Math.max(target, targetMin) * factor));
  let low = 0;
  let high = Math.max(
    1,
    ...claims.map(({ highest, target }) => highest / Math.max(target, targetMin)),
  );
  // The sum grows with the factor: halve until the factor is known.
  for (let halvings = 0; halvings < halvingsMax && high - low > high * 1e-12; halvings++) {
    const middle = (low + high) / 2;
    if (sumOf((claim) => shareOf(claim, middle)) < seats) low = middle;
    else high = middle;
  }
  return claims.map((claim) => shareOf(claim, high));
}

/** A level's seats, as its configuration says. */
export interface SeatBounds {
  /** Its own part of all seats. */
  readonly nominal: number;
  /** What it keeps when others borrow. */
  readonly lowest: number;
  /** What it may have when others lend. */
  readonly highest: number;
}

export interface LevelShares {
  readonly shares: number;
  readonly lendablePercent: number;
  /** Undefined: as much as there is. */
  readonly borrowingLimitPercent: number | undefined;
}

/** Each level's part of the server's seats. */
export function seatBoundsOf(
  serverSeats: number,
  shareSum: number,
  { shares, lendablePercent, borrowingLimitPercent }: LevelShares,
): SeatBounds {
  const nominal = shareSum === 0 ? 0 : Math.ceil((serverSeats * shares) / shareSum);
  const borrowing =
    borrowingLimitPercent === undefined
      ? serverSeats
      : Math.round((nominal * borrowingLimitPercent) / 100);
  const lowest = nominal - Math.round((nominal * lendablePercent) / 100);
  return { nominal, lowest, highest: nominal + borrowing };
}
