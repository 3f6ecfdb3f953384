import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { shareOf, shareOfHost } from "./host-load.ts";

describe("the share of a host that a VM gets", () => {
  it("is all where no thread waits for a processor, and less with each that does", () => {
    expect(shareOf(1, 2)).toBe(1);
    expect(shareOf(5, 2)).toBe(1);
    expect(shareOf(9, 2)).toBe(1 / 2);
    expect(shareOf(101, 2)).toBe(1 / 25);
  });

  it("is measured by what runs on this host", async () => {
    const wanted = availableParallelism() * 8;
    const busy = Array.from({ length: wanted }, () => spawn("sh", ["-c", "echo; while :; do :; done"]));
    try {
      await Promise.all(busy.map((child) => once(child.stdout, "data")));
      const share = shareOfHost();
      expect(share).toBeLessThan(1 / 2);
      expect(share).toBeGreaterThan(0);
    } finally {
      for (const child of busy) child.kill("SIGKILL");
      await Promise.all(busy.map((child) => once(child, "close")));
    }
  });
});
