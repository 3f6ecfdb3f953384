import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { commandOf, readRecord } from "../harness/faults/victims.ts";
import { hostProgramsImage, volume, withHostPrograms } from "../harness/host-programs.ts";
import { Kata } from "../harness/kata.ts";

const PROGRAM = ["python3", "/harness/host-files.py"];

/** A container with this machine's programs and an empty directory of the host at /data, which stays until it is deleted. */
async function started(kata: Kata) {
  const data = join(kata.directory, "data");
  mkdirSync(data);
  const id = await kata.start({
    image: hostProgramsImage(kata),
    args: ["sleep", "1000"],
    edit: (spec) => {
      withHostPrograms(spec);
      spec.mounts.push(volume(data, "/data"));
    },
  });
  const tell = async (...args: string[]): Promise<unknown> =>
    JSON.parse(await kata.ok(["exec", id, ...PROGRAM, ...args]));
  return { id, data, tell };
}

describe("files of the host, in a container", () => {
  expectCleanHost();

  it("can be created while the host creates and removes them", async () => {
    await using kata = new Kata();
    const { id, data, tell } = await started(kata);
    const file = join(data, "file");
    const ended = new AbortController();
    const host = (async () => {
      while (!ended.signal.aborted) {
        for (let turn = 0; turn < 100; turn++) {
          writeFileSync(file, "x");
          rmSync(file, { force: true });
        }
        await new Promise(setImmediate);
      }
    })();
    try {
      expect(await tell("race", "/data/file", "3000")).toBe("alive");
    } finally {
      ended.abort();
      await host;
    }
    expect(await kata.ok(["exec", id, "echo", "alive"])).toBe("alive");
    await kata.ok(["delete", "--force", id]);
  }, 300_000);

  it("may be more than the host's limit of open files, and be used after they are removed", async () => {
    await using kata = new Kata();
    const { id, data } = await started(kata);
    const { vm } = readRecord(kata, id);
    const daemon = vm.processes.find(({ pid }) => commandOf(pid).includes("virtiofsd"))?.pid ?? 0;
    const { stdout: children } = await execa("pgrep", ["-P", String(daemon)]);
    for (const pid of [String(daemon), ...children.split("\n")]) await execa("prlimit", ["--pid", pid, "--nofile=400"]);
    mkdirSync(join(data, "many"));
    for (let index = 0; index < 2000; index++) writeFileSync(join(data, "many", String(index)), "x");
    const count = "find /data/many -type f -size -2 -newermt 2000-01-01 | wc -l";
    expect(await kata.ok(["exec", id, "sh", "-c", count])).toBe("2000");
    const removed =
      "exec 3<>/data/many/1; rm /data/many/1; echo more >&3; stat -L -c %s /proc/self/fd/3; chmod 600 /proc/self/fd/3";
    expect(await kata.ok(["exec", id, "sh", "-c", removed])).toBe("5");
    await kata.ok(["delete", "--force", id]);
  }, 300_000);
});
