import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inNetworkNamespace, isNamespace, NetworkNamespace, removeNamespace, sameNetworkNamespace } from "./index.ts";

const own = (): string => readlinkSync("/proc/thread-self/ns/net");

describe("network namespaces", () => {
  it("are distinguished by identity, not by path", () => {
    expect(sameNetworkNamespace("/proc/self/ns/net", `/proc/${String(process.pid)}/ns/net`)).toBe(true);
    expect(sameNetworkNamespace("/proc/self/ns/net", "/proc/self/ns/mnt")).toBe(false);
    expect(isNamespace("/nonexistent", NetworkNamespace.identify("/proc/self/ns/net"))).toBe(false);
  });

  it("are entered and left, also by a function that throws", () => {
    const home = own();
    using made = NetworkNamespace.create();
    const inside = made.run(own);
    expect(inside).not.toBe(home);
    expect(inNetworkNamespace(made.path, own)).toBe(inside);
    expect(() => made.run(() => JSON.parse("{") as unknown)).toThrow(SyntaxError);
    expect(own()).toBe(home);
  });

  it("hold the children that are started in them", async () => {
    using made = NetworkNamespace.create();
    const child = made.run(() => spawn("sleep", ["100"]));
    expect(readlinkSync(`/proc/${String(child.pid)}/ns/net`)).toBe(made.run(own));
    child.kill();
    await once(child, "exit");
  });

  it("are pinned to a path, which outlives their maker, and unpinned twice", () => {
    const directory = mkdtempSync(join(tmpdir(), "netns-"));
    const path = join(directory, "pod");
    try {
      const made = NetworkNamespace.create();
      made.pin(path);
      expect(() => {
        made.pin(path);
      }).toThrow("EEXIST");
      made[Symbol.dispose]();
      made[Symbol.dispose]();
      expect(isNamespace(path, made.identity)).toBe(true);
      using again = NetworkNamespace.open(path);
      expect(again.identity).toEqual(made.identity);
      removeNamespace(path);
      removeNamespace(path);
      expect(existsSync(path)).toBe(false);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("are refused by name where there is none", () => {
    expect(() => NetworkNamespace.open("/nonexistent")).toThrow(
      expect.objectContaining({ code: "KATA_NETNS", message: "network namespace /nonexistent: ENOENT" }) as Error,
    );
    expect(() => NetworkNamespace.open("/etc/hostname")).toThrow("/etc/hostname is not a network namespace");
    expect(() => sameNetworkNamespace("/proc/self/ns/net", "/nonexistent")).toThrow("ENOENT");
  });
});
