import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineResolver, readResolvConf } from "./engine-resolver.ts";

describe("the engine's resolver", () => {
  it.each([
    [["search lan", "nameserver 127.0.0.11", "options ndots:0"], "127.0.0.11"],
    [["nameserver\t127.0.0.11 "], "127.0.0.11"],
    [["nameserver 127.0.0.1"], undefined],
    [["nameserver 127.0.0.111"], undefined],
    [["# nameserver 127.0.0.11"], undefined],
    [[], undefined],
  ])("in %j is %s", (lines, wanted) => {
    expect(engineResolver(lines)).toBe(wanted);
  });
});

describe("a resolv.conf", () => {
  it("is read where it is a file, and never blocks the reader", () => {
    const directory = mkdtempSync(join(tmpdir(), "resolv-"));
    const path = join(directory, "resolv.conf");
    expect(readResolvConf(path)).toEqual([]);
    writeFileSync(path, "search lan\n\nnameserver 192.0.2.1\n");
    expect(readResolvConf(path)).toEqual(["search lan", "nameserver 192.0.2.1"]);
    rmSync(path);
    execFileSync("mkfifo", [path]);
    expect(readResolvConf(path)).toEqual([]);
    rmSync(directory, { recursive: true });
  });
});
