import { expect, it } from "vitest";
import { withInheritedLimits } from "./inherited-limits.ts";

const CALLER = [
  { type: "RLIMIT_NOFILE", soft: 1024, hard: 524_288 },
  { type: "RLIMIT_CORE", soft: 0, hard: 18_446_744_073_709_551_615n },
];

it("limits that config.json does not name are the caller's", () => {
  expect(withInheritedLimits({ cwd: "/" }, CALLER).rlimits).toEqual(CALLER);
});

it("limits that config.json names stay as they are", () => {
  const own = { type: "RLIMIT_NOFILE", soft: 10, hard: 20 };
  expect(withInheritedLimits({ cwd: "/", rlimits: [own] }, CALLER).rlimits).toEqual([own, CALLER[1]]);
});
