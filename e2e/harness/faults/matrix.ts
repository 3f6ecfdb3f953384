import { setTimeout as delay } from "node:timers/promises";
import { identifyProcess, isAlive, type ProcessIdentity, signalProcess } from "@kata-ts/linux";
import type { Kata } from "../kata.ts";
import { type Held, PHASES, type Phase } from "./phases.ts";
import { findVictim, readRecord, type VictimName } from "./victims.ts";

export interface Cell {
  readonly victim: VictimName;
  readonly signal: "SIGKILL" | "SIGSTOP";
  readonly phase: Phase;
}

/** Every victim in every phase in which it exists. SIGSTOP where something still runs that could hang. */
export const CELLS: readonly Cell[] = PHASES.flatMap((phase) =>
  victimsIn(phase.name).flatMap((victim) => [
    { victim, signal: "SIGKILL" as const, phase },
    ...(canBeStuck(victim, phase.name) ? [{ victim, signal: "SIGSTOP" as const, phase }] : []),
  ]),
);

function victimsIn(phase: string): VictimName[] {
  const always: VictimName[] = ["qemu", "virtiofsd", "proxy", "shim"];
  if (phase === "exec-attached") return [...always, "exec-shim", "cli"];
  return isCreating(phase) || phase === "deleting" ? [...always, "cli"] : always;
}

export function isCreating(phase: string): boolean {
  return ["vm-started", "agent-up", "sandbox-created"].includes(phase);
}

/** A stopped call is its caller's to end; a stopped shim only keeps its own caller waiting. */
function canBeStuck(victim: VictimName, phase: string): boolean {
  return ["qemu", "virtiofsd", "proxy"].includes(victim) && phase !== "stopping";
}

/** What became of a cell, in milliseconds since the fault. */
export interface Outcome {
  /** Until the waiters knew: the call, or the shims, had ended. Undefined where nobody has to. */
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

/** Plays one cell: brings a container to the phase, strikes, watches who notices, and cleans up, twice. */
export async function play({ victim, signal, phase }: Cell, kata: Kata): Promise<Outcome> {
  const held = await phase.reach(kata);
  const target = findVictim(victim, kata, held);
  const { shim } = readRecord(kata, held.id);
  const qemu = findVictim("qemu", kata, held);
  const waiters = victim === "exec-shim" ? [] : waitersOf(held, shim, victim);
  signalProcess(target, signal);
  const struck = performance.now();
  if (signal === "SIGKILL") await gone(target);
  held.call?.goOn();
  // A process in a guest that hangs may be waited for as long as its waiter likes.
  const mayWait = signal === "SIGSTOP" && phase.name === "exec-attached";
  const ended = mayWait ? { stderr: "" } : await released(held, waiters, signal === "SIGKILL");
  const state = await stateOf(kata, held.id);
  const began = performance.now();
  for (const turn of ["first", "second"]) {
    const { exitCode, stderr } = await kata.run(["delete", "--force", held.id]);
    if (exitCode !== 0) throw new Error(`${turn} delete --force: ${stderr}`);
  }
  const deleted = performance.now() - began;
  await gone(qemu);
  if (held.call !== undefined) await within(held.call.ended, "the call whose container was deleted");
  return { ...ended, state, deleted };

  async function released({ call }: Held, pids: readonly ProcessIdentity[], dies: boolean) {
    const end =
      call === undefined || victim === "cli" ? undefined : await within(call.ended, `the call in ${phase.name}`);
    if (dies) for (const pid of pids) await gone(pid);
    return {
      ...(end === undefined && !dies ? {} : { released: performance.now() - struck }),
      ...(end === undefined ? {} : { status: end.status }),
      stderr: end?.stderr ?? "",
    };
  }
}

/** Who stands for a process of the guest's on the host ends when that cannot go on. */
function waitersOf({ call }: Held, shim: ProcessIdentity, victim: VictimName): ProcessIdentity[] {
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
