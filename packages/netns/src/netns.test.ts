import { readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inNetworkNamespace, sameNetworkNamespace } from "./index.ts";

describe("network namespaces", () => {
  it("are told apart by identity, not by path", () => {
    expect(sameNetworkNamespace("/proc/self/ns/net", `/proc/${String(process.pid)}/ns/net`)).toBe(true);
    expect(sameNetworkNamespace("/proc/self/ns/net", "/proc/self/ns/mnt")).toBe(false);
  });

  it("are entered and left", () => {
    const own = readlinkSync("/proc/thread-self/ns/net");
    expect(inNetworkNamespace("/proc/self/ns/net", () => readlinkSync("/proc/thread-self/ns/net"))).toBe(own);
    expect(() => {
      inNetworkNamespace("/nonexistent", () => undefined);
    }).toThrow("ENOENT");
  });
});
