import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";

function start(wanted: string): ChildProcess & { readonly stdout: Readable } {
  const program = join(import.meta.dirname, "unref", "program.ts");
  return spawn(process.execPath, [program, wanted], { stdio: ["ignore", "pipe", "inherit"] });
}

describe("a program that has left its sandbox", () => {
  it("ends by itself after unref(), and the VM before it", async () => {
    const program = start("unref");
    const exit = once(program, "exit") as Promise<[number | null]>;
    const [said, [status]] = await Promise.all([text(program.stdout), exit]);
    const [pid = "", ended] = said.split("\n");
    expect({ status, ended }).toEqual({ status: 0, ended: "ended" });
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it.each(["", "unref, then ref again"])("goes on %s", async (wanted) => {
    const program = start(wanted);
    const [line] = (await once(program.stdout, "data")) as [Buffer];
    program.kill("SIGTERM"); // It takes its default way out only where it is still there.
    const [, signal] = (await once(program, "exit")) as [number | null, NodeJS.Signals | null];
    process.kill(Number(line.toString()));
    expect(signal).toBe("SIGTERM");
  });
});
