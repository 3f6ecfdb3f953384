import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { withdrawalDeadline } from "./take-out.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

it("a card that is late by a moment is waited for once more before what was withdrawn is given back", () => {
  const deadline = withdrawalDeadline(2);
  expect([deadline.left().deadlineMs, deadline.leftForLate().deadlineMs]).toEqual([26_000, 32_000]);
  vi.advanceTimersByTime(27_000);
  expect([deadline.left().deadlineMs, deadline.leftForLate().deadlineMs]).toEqual([0, 5_000]);
  vi.advanceTimersByTime(27_000);
  expect(deadline.leftForLate().deadlineMs).toBe(0);
});
