import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { identifyProcess, isAlive } from "./processes.ts";
import { SYSTEM_PATH } from "./system-path.ts";
import { spawnTied } from "./tied-process.ts";

describe("spawnTied", () => {
  it("tells how a child ended", async () => {
    expect(await spawnTied("/bin/sh", ["-c", "exit 3"], "ignore").exited).toEqual({ exitCode: 3, signal: null });
    const child = spawnTied("/bin/sleep", ["1000"], "ignore");
    child.child.kill("SIGKILL");
    expect(await child.exited).toEqual({ exitCode: null, signal: "SIGKILL" });
  });

  it("gives a child nothing but what was said", async () => {
    const { child, exited } = spawnTied("/usr/bin/env", [], ["ignore", "pipe", "ignore"]);
    const output = child.stdout === null ? "" : await text(child.stdout);
    expect(output.trim().split("\n").sort()).toEqual(["LANG=C", `PATH=${SYSTEM_PATH}`]);
    await exited;
  });

  it("takes root's powers from a child that needs none", async () => {
    const show = ["-E", "^(CapPrm|CapEff|CapBnd|NoNewPrivs)", "/proc/self/status"];
    const { child, exited } = spawnTied("/bin/grep", show, ["ignore", "pipe", "ignore"], { withoutCapabilities: true });
    const output = child.stdout === null ? "" : await text(child.stdout);
    const ipcLock = "0000000000004000";
    expect(output.trim().split(/\s+/)).toEqual([
      ...["CapPrm:", ipcLock, "CapEff:", ipcLock, "CapBnd:", ipcLock, "NoNewPrivs:", "1"],
    ]);
    await exited;
  });

  it("does not outlive its parent, however that dies", async () => {
    const parent = spawn(process.execPath, [
      "--input-type=module",
      "-e",
      `import { spawnTied } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
       console.log(spawnTied("/bin/sleep", ["1000"], "ignore").pid); setInterval(() => {}, 1000);`,
    ]);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const child = identifyProcess(Number(line.toString()));
    expect(isAlive(child)).toBe(true);
    parent.kill("SIGKILL");
    while (isAlive(child)) await new Promise(setImmediate);
  });
});
