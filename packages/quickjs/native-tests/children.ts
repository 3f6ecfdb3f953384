// What Node does not do: it ignores options that it does not know. Run by the engine alone.

import * as native from "kata:native";
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";

describe("a program that is started", () => {
  it("has no option that the engine does not know", () => {
    for (const given of [
      { uid: 1 },
      { gid: 1 },
      { shell: true },
      { shell: "/bin/sh" },
      { serialization: "json" },
      { nonsense: 1 },
    ]) {
      const refused = `the option "${Object.keys(given)[0] ?? ""}" of a program that is started`;
      for (const start of [spawn, spawnSync, execFileSync, execFile]) {
        expect(() => (start as typeof spawn)("true", [], given as never)).toThrow(refused);
      }
    }
    expect(() => spawn("true", [], { stdio: ["ignore", "ignore", "ignore", "ipc"] })).toThrow("a channel");
    expect(() => spawn("true", [], { cwd: new URL("file:///") as never })).toThrow("options.cwd");
    const meaningless = { shell: false, windowsHide: true, signal: undefined, uid: undefined } as const;
    expect(spawnSync("true", [], meaningless as never).status).toBe(0);
  });

  it("has not ended well where its status was taken by another", async () => {
    const child = spawn("true", { stdio: "ignore" });
    const ended = once(child, "exit");
    native.call(native.functionNamed("waitpid"), child.pid ?? -1, new Uint8Array(4), 0);
    expect(await ended).toEqual([-10, null]); // ECHILD
    expect([child.exitCode, child.signalCode]).toEqual([-10, null]);
  });

  it("leaves nothing open where there are too many files open for its streams", async () => {
    const before = readdirSync("/proc/self/fd").length;
    const [prlimit, limits] = [native.functionNamed("prlimit"), new BigUint64Array(2)];
    native.call(prlimit, 0, 7, null, limits);
    const files: number[] = [];
    native.call(prlimit, 0, 7, new BigUint64Array([64n, limits[1] ?? 64n]), null);
    try {
      for (;;) files.push(openSync("/dev/null", "r"));
    } catch {
      for (const fd of files.splice(0, 5)) closeSync(fd);
    }
    const failed = once(spawn("true"), "error");
    const { error } = spawnSync("true");
    for (const fd of files) closeSync(fd);
    native.call(prlimit, 0, 7, limits, null);
    expect([error, await failed]).toMatchObject([{ code: "EMFILE" }, [{ code: "EMFILE" }]]);
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });
});
