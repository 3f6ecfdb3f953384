import { expect, it } from "vitest";
import { cpuNanoseconds, proportionalBytes } from "./process-use.ts";

it("a process's use is what the kernel says, and nothing for a process that is gone", () => {
  const before = cpuNanoseconds(process.pid);
  while (process.cpuUsage().user < 100_000 || cpuNanoseconds(process.pid) === before) Math.hypot(1, 2);
  const { user, system } = process.cpuUsage();
  expect(Math.abs(cpuNanoseconds(process.pid) - (user + system) * 1000)).toBeLessThan(50_000_000);
  expect(proportionalBytes(process.pid)).toBeGreaterThan(1024 * 1024);
  expect([cpuNanoseconds(2 ** 31 - 1), proportionalBytes(2 ** 31 - 1)]).toEqual([0, undefined]);
});
