import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TakeBackHelper } from "./take-back.ts";
import { VmFile } from "./vm-spec.ts";

describe("what takes back a VM's changes of its host", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "take-back-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** @returns the arguments of the program that was run, if it was */
  async function runFor(word: string): Promise<string | undefined> {
    const output = join(directory, "ran");
    const helper = new TakeBackHelper(directory, ["sh", "-c", 'echo "$@" > "$0"', output, "-take-back"]);
    await helper.takeBack(word as "over");
    return existsSync(output) ? readFileSync(output, "utf8").trim() : undefined;
  }

  it("is a program that is run once, where there is something to take back", async () => {
    expect(await runFor("over")).toBeUndefined();
    writeFileSync(join(directory, VmFile.ports), "4711");
    expect(await runFor("over")).toBe("-take-back");
  });

  it("removes the directory of a VM that no process wants", async () => {
    expect(await runFor("abandoned")).toBe("-take-back -abandoned");
  });

  it("has ended, and run nothing, once it is dismissed, however late it gets the processor", async () => {
    writeFileSync(join(directory, VmFile.ports), "4711");
    const helper = new TakeBackHelper(directory, ["touch", join(directory, "ran")]);
    const [pid = 0, ...others] = childrenWith(directory);
    expect(others).toEqual([]);
    process.kill(pid, "SIGSTOP");
    const dismissed = helper.dismiss();
    process.kill(pid, "SIGCONT");
    await dismissed;
    expect(childrenWith(directory)).toEqual([]);
    expect(existsSync(join(directory, "ran"))).toBe(false);
  });

  it.each(["", "over; touch planted", "$(touch planted)", "-abandoned", "over abandoned"])(
    "knows no other word: %j",
    async (word) => {
      writeFileSync(join(directory, VmFile.ports), "4711");
      expect(await runFor(word)).toBeUndefined();
    },
  );
});

/** This process's children that have an argument. */
function childrenWith(argument: string): number[] {
  const tasks = readdirSync("/proc/self/task");
  const children = tasks.flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, "latin1").split(" "));
  return children
    .filter(Boolean)
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${String(pid)}/cmdline`, "latin1").includes(argument));
}
