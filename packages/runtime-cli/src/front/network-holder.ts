import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { identifyProcess, type ProcessIdentity } from "@kata-ts/linux";
import { NetnsError } from "@kata-ts/netns";
import type { HeldNetwork } from "./held-network.ts";
import { type Order, parseAnswer } from "./holder-protocol.ts";

/** It waits for the host's locks and programs, which have deadlines of their own. */
const DEADLINE_MS = 60_000;

export interface HolderOptions {
  /** The program that is called as `kata`, with what stands before its command. */
  readonly kata: readonly [string, ...string[]];
  readonly signal: AbortSignal;
  /** Called as soon as there is a process. */
  readonly onStart: (keeper: ProcessIdentity) => void;
  /** Milliseconds that the process may take; 60 000 by default. */
  readonly deadlineMs?: number;
}

/** A process of its own that keeps a container's network: it ends with the container, and, until it is let go, with this process. */
export class NetworkHolder {
  readonly network: HeldNetwork;
  readonly keeper: ProcessIdentity;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, keeper: ProcessIdentity, network: HeldNetwork) {
    this.#child = child;
    this.keeper = keeper;
    this.network = network;
  }

  /** @throws NetnsError KATA_NETWORK; the signal's reason */
  static async start(
    order: Order,
    { kata: [program, ...args], signal, onStart, deadlineMs = DEADLINE_MS }: HolderOptions,
  ): Promise<NetworkHolder> {
    signal.throwIfAborted();
    // In a session of its own, which the signals of this terminal do not reach.
    const child = spawn(program, [...args, "hold-network"], {
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
      cwd: "/",
    });
    await once(child, "spawn");
    child.stdin.on("error", () => undefined);
    const giveUp = (): void => {
      child.kill("SIGKILL");
    };
    const late = AbortSignal.timeout(deadlineMs);
    const ends = [late, signal];
    for (const end of ends) end.addEventListener("abort", giveUp, { once: true });
    try {
      const keeper = identifyProcess(child.pid ?? 0);
      onStart(keeper);
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return new NetworkHolder(child, keeper, await answerOf(child));
    } catch (error) {
      giveUp();
      signal.throwIfAborted();
      throw late.aborted ? tooLate(deadlineMs) : error;
    } finally {
      for (const end of ends) end.removeEventListener("abort", giveUp);
    }
  }

  /** From now on it does not end with this process. */
  release(): void {
    this.#child.stdin?.end();
    this.#child.stdout?.destroy();
    this.#child.unref();
  }
}

function tooLate(deadlineMs: number): NetnsError {
  const waited = `${String(deadlineMs / 1000)} s`;
  return new NetnsError("KATA_NETWORK", `the process that keeps the network has not made it within ${waited}`);
}

/** @throws NetnsError KATA_NETWORK */
async function answerOf({ stdout }: ChildProcess): Promise<HeldNetwork> {
  if (stdout === null) throw new Error("the process that keeps the network has no output");
  for await (const line of createInterface({ input: stdout })) {
    const { network, failure } = parseAnswer(line);
    if (network !== undefined) return network;
    throw new NetnsError("KATA_NETWORK", failure ?? "the process that keeps the network answers nothing");
  }
  throw new NetnsError("KATA_NETWORK", "the process that keeps the network has ended before it was made");
}
