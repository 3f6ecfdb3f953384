import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const LIB = new URL("../dist/index.js", import.meta.url).href;

/** Commands' reaper owns the children of its whole process: they are tested in one of their own. */
function inOwnProcess(body: string): unknown {
  const program = `
    import { Commands, Reaper } from ${JSON.stringify(LIB)};
    const reaper = new Reaper();
    reaper.start();
    const commands = new Commands(reaper);
    const alive = setInterval(() => {}, 1000); // listening for SIGCHLD does not keep Node running
    console.log(JSON.stringify(await (async () => { ${body} })()));
    clearInterval(alive);
  `;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], { timeout: 30_000 });
  expect(run.stderr.toString()).toBe("");
  return JSON.parse(run.stdout.toString());
}

describe("Commands", () => {
  it("give a program its input, and what it says and how it ends back", () => {
    expect(
      inOwnProcess(`return commands.run("sh", ["-c", "cat; echo no >&2; exit 3"], "yes".repeat(100_000))`),
    ).toEqual({
      status: 3,
      stdout: "yes".repeat(100_000),
      stderr: "no\n",
    });
  });

  it("say 127 where a program cannot be started", () => {
    expect(inOwnProcess(`return commands.run("kata-no-such-program", [])`)).toEqual({
      status: 127,
      stdout: "",
      stderr: "",
    });
  });

  it("outlive a program that does not read its input", () => {
    expect(inOwnProcess(`return (await commands.run("true", [], "x".repeat(1_000_000))).status`)).toBe(0);
  });

  it("start a program with the descriptors that it is given, and leave them open", () => {
    const body = `
      const { fstatSync, mkdtempSync, openSync, readFileSync, rmSync } = await import("node:fs");
      const directory = mkdtempSync("/tmp/commands-");
      const file = openSync(directory + "/said", "w+");
      const status = await commands.runWith([file, file, file], "sh", ["-c", "echo out; echo err >&2; exit 9"]);
      fstatSync(file);
      const said = readFileSync(directory + "/said", "latin1");
      rmSync(directory, { recursive: true });
      return [status, said];
    `;
    expect(inOwnProcess(body)).toEqual([9, "out\nerr\n"]);
  });
});
