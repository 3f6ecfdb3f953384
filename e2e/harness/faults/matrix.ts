import { setTimeout as delay } from "node:timers/promises";
import { identifyProcess, isAlive, type ProcessIdentity, signalProcess } from "@kata-ts/linux";
import type { Kata } from "../kata.ts";
import type { Call } from "./call.ts";
import { exhaustGuest, exhaustHost, freezeAgent, type InjectFault, panicGuest } from "./faults.ts";
import { type Held, PHASES, type Phase } from "./phases.ts";
import { findVictim, readRecord, type VictimName } from "./victims.ts";

const GUEST_FAULTS = [
  { victim: "agent", fault: "SIGSTOP", inject: freezeAgent },
  { victim: "guest", fault: "panic", inject: panicGuest },
  { victim: "guest", fault: "no memory", inject: exhaustGuest },
  { victim: "host", fault: "no memory", inject: exhaustHost },
] as const;

/** What is done to a victim: a signal, or what its own kernel or the host's does to it. */
type Fault = "SIGKILL" | "SIGSTOP" | "panic" | "no memory";

export interface Cell {
  readonly victim: VictimName | "agent" | "guest" | "host";
  readonly fault: Fault;
  readonly phase: Phase;
  /** How it is done where no signal does it. */
  readonly inject?: InjectFault;
}

/** Every victim in every phase in which it exists. SIGSTOP where something still runs that could hang. */
export const CELLS: readonly Cell[] = PHASES.flatMap((phase) => [
  ...processesIn(phase.name).flatMap((victim) => [
    { victim, fault: "SIGKILL" as const, phase },
    ...(canBeStuck(victim, phase.name) ? [{ victim, fault: "SIGSTOP" as const, phase }] : []),
  ]),
  // A guest's fault is injected from within, once its agent answers.
  ...(["vm-started", "agent-up"].includes(phase.name) ? [] : GUEST_FAULTS.map((of) => ({ ...of, phase }))),
]);

/** Whether the VM, or who stands for it, is gone then. */
export function isDeadly({ victim, fault }: Cell): boolean {
  return fault === "SIGKILL" || fault === "panic" || victim === "host";
}

function processesIn(phase: string): VictimName[] {
  const always: VictimName[] = ["qemu", "virtiofsd", "proxy", "shim"];
  if (phase === "exec-attached") return [...always, "exec-shim", "cli"];
  return isCreating(phase) || phase === "deleting" ? [...always, "cli"] : always;
}

export function isCreating(phase: string): boolean {
  return ["vm-started", "agent-up", "sandbox-created"].includes(phase);
}

/** A stopped call is its caller's to end, and so is an exec's shim, which has no other waiter. */
function canBeStuck(victim: VictimName, phase: string): boolean {
  return ["qemu", "virtiofsd", "proxy", "shim"].includes(victim) && phase !== "stopping";
}

/** What became of a cell, in milliseconds since the fault. */
export interface Outcome {
  /** Until the waiters knew: the call, or the shims, had ended. Undefined where none has to. */
  readonly released?: number;
  /** What the interrupted call ended with. */
  readonly status?: number | null;
  readonly stderr: string;
  /** What `state` said afterwards; undefined when there was no such container. */
  readonly state: string | undefined;
  /** How long `delete --force` took. */
  readonly deleted: number;
}

/** No call may take longer, whatever was done to it. */
const PATIENCE_MS = 100_000;

/** Plays one cell: brings a container to the phase, injects the fault, watches who notices, and cleans up, twice. */
export async function play(cell: Cell, kata: Kata): Promise<Outcome> {
  const { victim, fault, phase } = cell;
  const held = await phase.reach(kata);
  const { shim } = readRecord(kata, held.id);
  const qemu = findVictim("qemu", kata, held);
  const waiters = victim === "exec-shim" ? [] : waitersOf(held, shim, victim);
  const { faultCall, injectedAt } = await injectFault();
  held.call?.goOn();
  // A process in a guest that hangs, or has lost another one, may be waited for as long as its waiter likes.
  const mayWait = !isDeadly(cell) && phase.name === "exec-attached";
  const ended = mayWait ? { stderr: "" } : await released(held, waiters, isDeadly(cell));
  const state = await stateOf(kata, held.id);
  const began = performance.now();
  for (const turn of ["first", "second"]) {
    const { exitCode, stderr } = await kata.run(["delete", "--force", held.id]);
    if (exitCode !== 0) throw new Error(`${turn} delete --force: ${stderr}`);
  }
  const deleted = performance.now() - began;
  await gone(qemu);
  for (const call of [held.call, faultCall])
    if (call !== undefined) await within(call.ended, "a call of a deleted container");
  return { ...ended, state, deleted };

  /** @returns when it was done, and the call that does it, if one does and stays */
  async function injectFault(): Promise<{ readonly faultCall?: Call | undefined; readonly injectedAt: number }> {
    if (cell.inject !== undefined) {
      const faultCall = await cell.inject(kata, held.id);
      if (isDeadly(cell)) await gone(qemu);
      return { faultCall, injectedAt: performance.now() };
    }
    const target = findVictim(victim as VictimName, kata, held);
    signalProcess(target, fault as "SIGKILL" | "SIGSTOP");
    const injectedAt = performance.now();
    if (fault === "SIGKILL") await gone(target);
    return { injectedAt };
  }

  async function released({ call }: Held, pids: readonly ProcessIdentity[], dies: boolean) {
    const end =
      call === undefined || victim === "cli" ? undefined : await within(call.ended, `the call in ${phase.name}`);
    if (dies) for (const pid of pids) await gone(pid);
    return {
      ...(end === undefined && !dies ? {} : { released: performance.now() - injectedAt }),
      ...(end === undefined ? {} : { status: end.status }),
      stderr: end?.stderr ?? "",
    };
  }
}

/** Who stands for a process of the guest's on the host ends when that cannot go on. */
function waitersOf({ call }: Held, shim: ProcessIdentity, victim: Cell["victim"]): ProcessIdentity[] {
  if (victim === "cli") return [];
  return call === undefined ? [shim] : [shim, identifyProcess(call.pid)];
}

async function stateOf(kata: Kata, id: string): Promise<string | undefined> {
  const { exitCode, stdout } = await kata.run(["state", id]);
  return exitCode === 0 ? (JSON.parse(stdout) as { status: string }).status : undefined;
}

async function gone(process: ProcessIdentity): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (isAlive(process)) {
    if (Date.now() > giveUpAt) throw new Error(`process ${String(process.pid)} does not end`);
    await delay(2);
  }
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const timer = new AbortController();
  const late = delay(PATIENCE_MS, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what} does not end`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}
