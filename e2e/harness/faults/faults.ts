import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectAgent } from "@kata-ts/agent-protocol";
import type { Kata } from "../kata.ts";
import { Call } from "./call.ts";
import { readRecord } from "./victims.ts";

/**
 * Faults that no signal makes. Each resolves when it has been made, with the call that stays in the guest for it, if
 * one does: it ends with the guest.
 */
export type InjectFault = (kata: Kata, id: string) => Promise<Call | undefined>;

/** The kernel gives process 1 no more time. The call that has done it gets no answer any more. */
export const freezeAgent: InjectFault = async (kata, id) => {
  const ice = "/sys/fs/cgroup/ice";
  const call = inGuest(kata, id, `mkdir ${ice} && echo 1 > ${ice}/cgroup.procs && echo 1 > ${ice}/cgroup.freeze`);
  await untilSilent(readRecord(kata, id).vm.dir, call);
  return call;
};

export const panicGuest: InjectFault = (kata, id) =>
  Promise.resolve(inGuest(kata, id, "echo c > /proc/sysrq-trigger; sleep 1000"));

/** A process of the guest's own takes all of its memory. @throws Error unless the guest's kernel has ended that one */
export const exhaustGuest: InjectFault = async (kata, id) => {
  const { exitCode, stderr } = await kata.run(["debug", id, "tail", "/dev/zero"]);
  if (exitCode !== 137) throw new Error(`the guest has not run out of memory: ${String(exitCode)} ${stderr}`);
  return undefined;
};

/** A process of the guest takes what there is no more of on the host. */
export const exhaustHost: InjectFault = (kata, id) => {
  starve(kata, id);
  return Promise.resolve(inGuest(kata, id, "tail /dev/zero"));
};

/** From now on a VM has next to no room on the host: what it takes more is too much. */
export function starve(kata: Kata, id: string): void {
  const memory = memoryCgroup(kata, id);
  const used = Number(readFileSync(join(memory, "memory.usage_in_bytes"), "latin1"));
  writeFileSync(join(memory, "memory.limit_in_bytes"), String(used + 8 * 1024 * 1024));
}

/** How often the host's kernel has ended a process of a container's cgroup for want of memory. */
export function outOfMemoryKills(kata: Kata, id: string): number {
  const oom = readFileSync(join(memoryCgroup(kata, id), "memory.oom_control"), "latin1");
  return Number(/oom_kill (\d+)/.exec(oom)?.[1]);
}

/** Waits until a VM's agent does not answer within a second. */
/** @throws Error when what is to silence the agent has failed */
async function untilSilent(vmDirectory: string, call: Call): Promise<void> {
  using agent = connectAgent(`unix://${vmDirectory}/proxy.sock`);
  const answers = (): Promise<boolean> =>
    agent.check({}, { deadlineMs: 1000 }).then(
      () => true,
      () => false,
    );
  while (await answers()) {
    const { exitCode } = call.child;
    if (exitCode !== null && exitCode !== 0) throw new Error(`the agent was not stopped: status ${String(exitCode)}`);
    await delay(10);
  }
}

function inGuest(kata: Kata, id: string, script: string): Call {
  return new Call(kata, ["debug", id, "sh", "-c", script]);
}

function memoryCgroup(kata: Kata, id: string): string {
  const record = readFileSync(join(kata.root, id, "kata.json"), "utf8");
  const { cgroup } = JSON.parse(record) as { cgroup: { directories: string[] } };
  const memory = cgroup.directories.find((directory) => existsSync(join(directory, "memory.limit_in_bytes")));
  if (memory === undefined) throw new Error(`${id} has no memory cgroup`);
  return memory;
}
