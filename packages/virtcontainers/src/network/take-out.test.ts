import { expect, it } from "vitest";
import { withdrawalDeadline } from "./take-out.ts";

it("a card that is late by a moment is waited for once more before what was withdrawn is given back", () => {
  let now = 0;
  const deadline = withdrawalDeadline(2, () => now);
  expect([deadline.left().deadlineMs, deadline.leftForLate().deadlineMs]).toEqual([26_000, 32_000]);
  now = 27_000;
  expect([deadline.left().deadlineMs, deadline.leftForLate().deadlineMs]).toEqual([0, 5_000]);
  now = 54_000;
  expect(deadline.leftForLate().deadlineMs).toBe(0);
});
