import { readdirSync, writeFile, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import { textOf } from "../files.ts";
import { PLUGGED_DEADLINE_MS } from "./plugged.ts";

const CPUS = "/sys/devices/system/cpu";
const MEMORY = "/sys/devices/system/memory";

/** Brings hot-plugged CPUs up, waiting until as many as were plugged have appeared. */
export async function onlineCpus(wanted: number): Promise<void> {
  const giveUpAt = performance.now() + PLUGGED_DEADLINE_MS;
  for (let online = 0; ; ) {
    online += await switchOn(CPUS, /^cpu\d+$/, wanted - online);
    if (online >= wanted) return;
    if (performance.now() > giveUpAt) {
      throw new AgentRpcError(
        RpcStatus.DeadlineExceeded,
        `only ${String(online)} of ${String(wanted)} CPUs came online`,
      );
    }
    await delay(10);
  }
}

export async function onlineMemory(): Promise<void> {
  await switchOn(MEMORY, /^memory\d+$/, Number.POSITIVE_INFINITY);
  writeFileSync("/proc/sys/kernel/threads-max", String(threadsFor(textOf("/proc/meminfo"))));
}

/** Of memory, an eighth at most is for the stacks of threads, 16 KiB each: the kernel's own rule. */
const BYTES_PER_THREAD = 8 * 16 * 1024;

/** How many threads a guest may have: its kernel has looked at the memory that it booted with. */
function threadsFor(meminfo: string): number {
  const kib = Number(/^MemTotal: +(\d+) kB$/m.exec(meminfo)?.[1] ?? 0);
  return Math.max(1024, Math.floor((kib * 1024) / BYTES_PER_THREAD));
}

let turn: Promise<unknown> = Promise.resolve();

/** One after the other, so that a call does not count what an earlier one has switched on. */
function switchOn(directory: string, pattern: RegExp, limit: number): Promise<number> {
  const mine = turn.then(() => switchOnNow(directory, pattern, limit));
  turn = mine.catch(() => undefined);
  return mine;
}

/** The kernel takes its time for each; the agent has others to answer meanwhile. */
async function switchOnNow(directory: string, pattern: RegExp, limit: number): Promise<number> {
  let count = 0;
  for (const name of readdirSync(directory)) {
    const file = `${directory}/${name}/online`;
    if (count >= limit || !pattern.test(name) || !isOff(file)) continue;
    await promisify(writeFile)(file, "1");
    count += 1;
  }
  return count;
}

// The boot CPU, and memory that cannot be taken away, have no such file.
function isOff(file: string): boolean {
  return textOf(file).trim() === "0";
}
