import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const MODULE = JSON.stringify(join(import.meta.dirname, "print.ts"));
const LARGE = 3_000_000;

async function outputOf(program: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const args = ["--input-type=module", "-e", `import { print, printError, printed } from ${MODULE}; ${program}`];
  return promisify(execFile)(process.execPath, args, { maxBuffer: 10 * LARGE });
}

/** What a program writes to descriptor 3 while the reader of its outputs goes away after one byte. */
async function toldBeside(program: string): Promise<string> {
  const shell = `{ "$0" --input-type=module -e "$1" 2>&1 | head -c 1 >/dev/null; } 3>&1`;
  const { stdout } = await promisify(execFile)("sh", ["-c", shell, process.execPath, program]);
  return stdout;
}

describe("print", () => {
  it("writes to standard output and standard error before the program exits, and loads no streams for it", async () => {
    const { stdout, stderr } = await outputOf(`
      print("a".repeat(${String(LARGE)}));
      printError("b".repeat(${String(LARGE)}));
      print(process.moduleLoadList.includes("NativeModule net") ? "net" : "end");
      process.exit(0);`);
    expect(stdout).toBe(`${"a".repeat(LARGE)}end`);
    expect(stderr).toBe("b".repeat(LARGE));
  });

  it("keeps order, and all, where the pipe does not block and its reader is late", async () => {
    const { stdout, stderr } = await outputOf(`
      for (const { _handle } of [process.stdout, process.stderr]) if (_handle === undefined) throw new Error("no pipe");
      for (let i = 0; i < 30; i++) print(String(i % 10).repeat(${String(LARGE / 30)}));
      print(new TextEncoder().encode("end"));
      printError("b".repeat(${String(LARGE)}));
      printError("end");
      await printed();
      process.exit(0);`);
    expect(stdout).toBe(`${Array.from({ length: 30 }, (_, i) => String(i % 10).repeat(LARGE / 30)).join("")}end`);
    expect(stderr).toBe(`${"b".repeat(LARGE)}end`);
  });

  it("fails where the reader has closed, but not for standard error", async () => {
    const program = `import { print, printError } from ${MODULE};
      for (let i = 0; i < 100; i++) printError("a".repeat(100_000));
      try { for (;;) print("a".repeat(100_000)); } catch ({ code }) { process.getBuiltinModule("node:fs").writeFileSync(3, code); }`;
    expect(await toldBeside(program)).toBe("EPIPE");
  });

  it("goes on where the reader of standard error goes away and much is left", async () => {
    const program = `import { printError, printed } from ${MODULE};
      if (process.stderr._handle === undefined) throw new Error("no pipe");
      printError("a".repeat(${String(LARGE)}));
      await printed();
      process.getBuiltinModule("node:fs").writeFileSync(3, "goes on");`;
    expect(await toldBeside(program)).toBe("goes on");
  });
});
