import { expect, test } from "vitest";
import { allotSeats, seatBoundsOf } from "./allot-seats.ts";

const claim = (lowest: number, target: number, highest: number) => ({ lowest, target, highest });

test.each([
  {
    what: "in proportion where no bound matters",
    seats: 60,
    claims: [claim(0, 10, 100), claim(0, 20, 100)],
    want: [20, 40],
  },
  {
    what: "what one must keep is not the others'",
    seats: 60,
    claims: [claim(30, 30, 100), claim(0, 90, 100)],
    want: [30, 30],
  },
  {
    what: "what one may not have is the others'",
    seats: 60,
    claims: [claim(0, 50, 10), claim(0, 10, 100)],
    want: [10, 50],
  },
  {
    what: "who wants nothing lends",
    seats: 100,
    claims: [claim(0, 0, 100), claim(0, 80, 100)],
    want: [0, 100],
  },
])("seats are divided: $what", ({ seats, claims, want }) => {
  const got = allotSeats(seats, claims) ?? [];
  expect(got.map((each) => Math.round(each * 10) / 10)).toEqual(want);
});

test("no way is found where the bounds leave none", () => {
  expect(allotSeats(10, [claim(8, 8, 9), claim(8, 8, 9)])).toBeUndefined();
  expect(allotSeats(30, [claim(8, 8, 9), claim(8, 8, 9)])).toBeUndefined();
});

test("a level's part is by its shares, rounded up; what it lends and borrows by its percentages", () => {
  const shares = { shares: 100, lendablePercent: 90, borrowingLimitPercent: undefined };
  expect(seatBoundsOf(600, 245, shares)).toEqual({ nominal: 245, lowest: 24, highest: 845 });
  const bounded = { shares: 30, lendablePercent: 33, borrowingLimitPercent: 10 };
  expect(seatBoundsOf(600, 245, bounded)).toEqual({ nominal: 74, lowest: 50, highest: 81 });
});
