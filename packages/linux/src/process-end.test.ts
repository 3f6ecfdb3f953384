import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { processEnd } from "./process-end.ts";
import { identifyProcess } from "./processes.ts";

describe("the end of a process", () => {
  it("is waited for, and not longer", async () => {
    const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
    await once(child, "spawn");
    const identity = identifyProcess(child.pid ?? 0);
    let hasEnded = false;
    const end = processEnd(identity).then(() => {
      hasEnded = true;
    });
    await new Promise(setImmediate);
    expect(hasEnded).toBe(false);
    child.stdin.end();
    await end;
    await processEnd(identity);
  });

  it("is that of the process that is meant", async () => {
    const { pid, startTime } = identifyProcess(process.pid);
    await processEnd({ pid, startTime: startTime + 1 });
    await processEnd({ pid: 2 ** 22 + 1, startTime });
  });

  it("is given up by a signal", async () => {
    const abort = new AbortController();
    const end = processEnd(identifyProcess(process.pid), abort.signal);
    abort.abort(new Error("enough"));
    await expect(end).rejects.toThrow("enough");
    await expect(processEnd(identifyProcess(process.pid), abort.signal)).rejects.toThrow("enough");
  });
});
