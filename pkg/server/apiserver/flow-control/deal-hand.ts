import { createHash } from "node:crypto";

/**
 * The queues that a flow may use: `handSize` different ones of `queues`, dealt by a hash of what names the flow. So two
 * flows hardly ever share all of theirs, and one that fills its own leaves a free one to nearly everybody else.
 */
export function dealHand(
  flowSchema: string,
  distinguisher: string,
  queues: number,
  handSize: number,
): readonly number[] {
  const hash = createHash("sha256").update(`${flowSchema}\0${distinguisher}`).digest();
  let entropy = hash.readBigUInt64LE(0);
  const hand: number[] = [];
  const remainders: number[] = [];
  for (let dealt = 0; dealt < handSize; dealt++) {
    const left = BigInt(queues - dealt);
    remainders.push(Number(entropy % left));
    entropy /= left;
  }
  for (let dealt = 0; dealt < handSize; dealt++) {
    let card = remainders[dealt] ?? 0;
    for (let before = dealt - 1; before >= 0; before--) {
      if (card >= (remainders[before] ?? 0)) card += 1;
    }
    hand.push(card);
  }
  return hand;
}
