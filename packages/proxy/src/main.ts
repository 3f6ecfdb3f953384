import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { identifyProcess, releaseMemory } from "@kata-ts/linux";
import { ControlPipe } from "./control.ts";
import { type ProxyFlags, parseFlags } from "./flags.ts";
import { Relay } from "./relay.ts";
import { PROXY_VERSION } from "./version.ts";
import { VmFile, type VmSpec } from "./vm-spec.ts";
import { Watchman } from "./watchman.ts";

/** By then a container is started, as a rule. */
const START_MS = 1_000;

/** Runs kata-proxy until its VM, or its channel, ends. Returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  const flags = parseFlags(argv);
  if (flags.version) {
    process.stdout.write(`kata-proxy version ${PROXY_VERSION}\n`);
    return 0;
  }
  if (flags.vm !== undefined) return watchOver(JSON.parse(readFileSync(flags.vm, "utf8")) as VmSpec, flags);
  if (flags.listenSocket === "" || flags.muxSocket === "") {
    process.stderr.write("kata-proxy: -listen-socket and -mux-socket are required\n");
    return 0; // The original's exit status for this.
  }
  return multiplex(flags);
}

/** What the original does: only multiplex. */
async function multiplex(flags: ProxyFlags): Promise<number> {
  const relay = await Relay.start({ listenSocket: flags.listenSocket, muxSocket: flags.muxSocket });
  process.once("SIGTERM", () => {
    relay.close();
  });
  await relay.ended;
  return 0;
}

async function watchOver(spec: VmSpec, flags: ProxyFlags): Promise<number> {
  const control = flags.controlFd === undefined ? undefined : new ControlPipe(flags.controlFd);
  let watchman: Watchman;
  try {
    watchman = await Watchman.start(spec, identifyProcess(process.pid));
  } catch (error) {
    control?.tellFailure(error);
    return 1;
  }
  const asked = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      asked.abort();
      void watchman.stop();
    });
  }
  process.on("SIGHUP", () => undefined);
  control?.tell({ ok: true, pids: watchman.pids });
  const abandoned = control === undefined ? undefined : serve(watchman, spec, control);
  const exit = await watchman.ended;
  // Nobody who could has a record of this VM: it takes its traces with it. A starter that asked still reads them.
  if (exit.reason !== "stopped") return 1;
  const nobodyIsLeft = await Promise.race([abandoned, ...(asked.signal.aborted ? [Promise.resolve(false)] : [])]);
  if (nobodyIsLeft === true) rmSync(spec.dir, { recursive: true, force: true });
  return 0;
}

/** Sees a VM into its sandbox. @returns whether whom it was for went away before that: then the VM ends */
async function serve(watchman: Watchman, spec: VmSpec, starter: ControlPipe): Promise<boolean> {
  let settled = await starter.committed();
  if (settled && spec.cached === true) {
    releaseMemorySoon();
    settled = await handOver(watchman, await ControlPipe.accept(join(spec.dir, VmFile.take)));
  }
  if (!settled) await watchman.stop();
  watchman.followNetwork();
  watchman.forwardPorts();
  releaseMemorySoon();
  return !settled;
}

/** Gives the VM to the first who asks for it. @returns whether the VM is wanted from then on */
async function handOver(watchman: Watchman, taker: ControlPipe): Promise<boolean> {
  const surroundings = await taker.surroundings();
  if (surroundings === undefined) return false;
  try {
    watchman.moveTo(surroundings);
  } catch (error) {
    taker.tellFailure(error);
    return false;
  }
  taker.tell({ ok: true, pids: watchman.pids });
  return taker.committed();
}

function releaseMemorySoon(): void {
  setTimeout(releaseMemory, START_MS).unref();
}
