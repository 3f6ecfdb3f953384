import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const LIB = new URL("../dist/index.js", import.meta.url).href;
const LINUX = import.meta.resolve("@kata-ts/linux");

/** The reaper owns the children of its whole process: it is tested in one of its own. */
function inOwnProcess(body: string): string {
  const program = `
    import { spawnSync } from "node:child_process";
    import { openSync, readdirSync, readFileSync } from "node:fs";
    import { Reaper } from ${JSON.stringify(LIB)};
    import { becomeSubreaper, readProcessStat, spawnProcess } from ${JSON.stringify(LINUX)};
    becomeSubreaper();
    const nothing = openSync("/dev/null", "r+");
    const reaper = new Reaper();
    reaper.start();
    const children = () => readdirSync("/proc/self/task").flatMap((t) => readFileSync("/proc/self/task/" + t + "/children", "latin1").split(" ").filter(Boolean).map(Number));
    // It outlives the shell that starts it: otherwise that shell might collect it.
    const orphan = (script) => Number(spawnSync("/bin/sh", ["-c", "sh -c 'sleep 0.1; " + script + "' >/dev/null 2>&1 & echo $!"]).stdout.toString());
    const alive = setInterval(() => {}, 1000); // listening for SIGCHLD does not keep Node running
    ${body}
    clearInterval(alive);
  `;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], { timeout: 30_000 });
  expect(run.stderr.toString()).toBe("");
  return run.stdout.toString().trim();
}

describe("Reaper", () => {
  it("gives the status of a process that was handed to it, also of one already dead", () => {
    expect(
      inOwnProcess(`
        const slow = orphan("sleep 0.3; exit 7"), quick = orphan("exit 9"), killed = orphan("kill -9 \\$\\$");
        // Collected before anybody asked.
        while (children().includes(quick)) await new Promise((resolve) => setTimeout(resolve, 5));
        console.log(await reaper.wait(slow), await reaper.wait(quick), await reaper.wait(killed));
      `),
    ).toBe("7 9 137");
  });

  it("gives the statuses of programs and of orphans, in a storm of both", () => {
    expect(
      inOwnProcess(`
        const program = (i) => reaper.wait(spawnProcess("/bin/sh", ["-c", "exit " + i], [nothing, nothing, nothing]));
        const programs = Array.from({ length: 50 }, (_, i) => program(i));
        const orphans = Array.from({ length: 50 }, (_, i) => reaper.wait(orphan("exit " + i)));
        const statuses = [...(await Promise.all(programs)), ...(await Promise.all(orphans))];
        console.log(statuses.every((status, i) => status === i % 50));
      `),
    ).toBe("true");
  });

  it("leaves others their turn while one program after the other has ended when it is waited for", () => {
    expect(
      inOwnProcess(`
        let hadTurn = false, rounds = 0;
        setTimeout(() => { hadTurn = true; }, 1);
        while (!hadTurn && rounds++ < 50) {
          const pid = spawnProcess("/bin/true", [], [nothing, nothing, nothing]);
          while (readProcessStat(pid)?.state !== "Z");
          await reaper.wait(pid);
        }
        console.log(hadTurn);
      `),
    ).toBe("true");
  });

  it("leaves no zombie of orphans whose status is not asked for", () => {
    expect(
      inOwnProcess(`
        for (let i = 0; i < 50; i++) orphan("exit 0");
        while (children().some((pid) => readProcessStat(pid)?.state === "Z" || readProcessStat(pid) !== undefined)) await new Promise((resolve) => setTimeout(resolve, 10));
        console.log(children().length);
      `),
    ).toBe("0");
  });
});
