import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { ROOT } from "../../harness/paths.ts";
import { makeLabDirectory } from "../lab-directory.ts";
import { labSuite } from "../suites.ts";

/** A host in a process of its own. @returns that process, and the host's directory */
async function up(): Promise<{ readonly runner: ReturnType<typeof spawn>; readonly directory: string }> {
  const runner = spawn(process.execPath, [join(ROOT, "e2e/lab/main.ts"), "up", labSuite()], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(runner, "exit").then(([status]) => {
    throw new Error(`the host's process has ended with status ${String(status)} before its host was up`);
  });
  const [line] = (await Promise.race([once(runner.stdout, "data"), ended])) as [Buffer];
  return { runner, directory: line.toString().trim() };
}

function isRunning(directory: string): boolean {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => commandLine(pid).includes(`unix:${directory}/`));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

it("a host ends with its runner, by a signal or by SIGKILL, and its directory does not stay", async () => {
  const first = await up();
  expect(isRunning(first.directory)).toBe(true);
  first.runner.kill("SIGTERM");
  await once(first.runner, "exit");
  expect(isRunning(first.directory)).toBe(false);
  expect(existsSync(first.directory)).toBe(false);

  const second = await up();
  second.runner.kill("SIGKILL");
  await once(second.runner, "exit");
  while (isRunning(second.directory)) await delay(20);
  utimesSync(second.directory, 1, 1); // As if it were old enough not to be a host's that starts just now.
  // The kernel closes an ended process's sockets some time after the process can no longer be seen.
  while (existsSync(second.directory)) rmdirSync(await makeLabDirectory());
});
