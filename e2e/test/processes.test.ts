import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { pythonRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";

/**
 * Fifty children that each leave a grandchild behind, at once, which ends once its parent is gone and the pipe with it: all
 * of them are init's to collect.
 */
const STORM = `
import os
for _ in range(50):
    if os.fork() == 0:
        read, write = os.pipe()
        if os.fork() == 0:
            os.close(write)
            os.read(read, 1)
        os._exit(0)
for _ in range(50): os.wait()
print("stormed", flush=True)
`;

describe("processes in the guest", () => {
  expectCleanHost();

  it("leave no zombie behind, whatever their parent was", async () => {
    await using kata = new Kata();
    // Its first process collects nothing; an exec's orphans fall to it, and not to the agent.
    const id = await kata.start({ args: ["sh", "-c", "while :; do sleep 0.1; done"], image: await pythonRootfs() });
    expect(await kata.ok(["exec", id, "python3", "-c", STORM])).toBe("stormed");
    expect((await kata.run(["exec", id, "sh", "-c", "sleep 1000 & exit 5"])).exitCode).toBe(5);
    await expect
      .poll(
        async () =>
          (await kata.ok(["ps", id, "-eo", "pid,stat,args"])).split("\n").filter((line) => /^ *\d+ Z/.test(line)),
        {
          timeout: 10_000,
        },
      )
      .toEqual([]);
    expect(await kata.ok(["ps", id])).toContain("sleep 1000");
    // Their addresses are random.
    const files = ["/proc/1/personality", "/proc/self/personality", "/proc/self/maps"];
    const [one = "", other = ""] = await Promise.all([1, 2].map(() => kata.ok(["exec", id, "cat", ...files])));
    expect(one).toMatch(/^00000000\n00000000\n/);
    const stack = (maps: string): string | undefined => /^.*\[stack\]$/m.exec(maps)?.[0];
    expect(stack(one)).toMatch(/^[0-9a-f]+-[0-9a-f]+ /);
    expect(stack(other)).not.toBe(stack(one));
  });

  it("die with their shim, an exec alone, the first with all of the container", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const pidFile = join(kata.directory, "exec.pid");
    const exec = ["--root", kata.root, "exec", "--pid-file", pidFile, id, "sh", "-c", "echo up; exec sleep 2000"];
    const child = spawn(kata.program, exec, { stdio: ["ignore", "pipe", "ignore"] });
    await once(child.stdout, "data");
    await expect.poll(() => readFileSync(pidFile, "utf8")).toMatch(/^\d+$/);
    const exited = once(child, "exit");
    process.kill(Number(readFileSync(pidFile, "utf8")), "SIGKILL");
    await exited;
    // One call takes longer than a poll may, by default, on a busy host.
    await expect.poll(() => kata.ok(["ps", id]), { timeout: 60_000 }).not.toContain("sleep 2000");
    expect(await kata.ok(["ps", id])).toContain("sleep 1000");

    const { pid } = await kata.state(id);
    process.kill(pid, "SIGKILL");
    await kata.until(id, "stopped");
    await kata.ok(["delete", id]);
  });
});
