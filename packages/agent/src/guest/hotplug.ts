import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";

const CPUS = "/sys/devices/system/cpu";
const MEMORY = "/sys/devices/system/memory";
const DEADLINE_MS = 10_000;

/** Brings hot-plugged CPUs up, waiting until as many as were plugged have appeared. */
export async function onlineCpus(wanted: number): Promise<void> {
  const giveUpAt = performance.now() + DEADLINE_MS;
  for (let online = 0; ; ) {
    online += switchOn(CPUS, /^cpu\d+$/, wanted - online);
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

export function onlineMemory(): void {
  switchOn(MEMORY, /^memory\d+$/, Number.POSITIVE_INFINITY);
}

function switchOn(directory: string, pattern: RegExp, limit: number): number {
  let count = 0;
  for (const name of readdirSync(directory)) {
    const file = `${directory}/${name}/online`;
    if (count >= limit || !pattern.test(name) || !isOff(file)) continue;
    writeFileSync(file, "1");
    count += 1;
  }
  return count;
}

// The boot CPU, and memory that cannot be taken away, have no such file.
function isOff(file: string): boolean {
  try {
    return readFileSync(file, "latin1").trim() === "0";
  } catch {
    return false;
  }
}
