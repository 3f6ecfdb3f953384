import { readFileSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { identifyProcess, releaseMemory } from "@kata-ts/linux";
import { parseShape } from "@kata-ts/linux/shape";
import { StarterPipe } from "./control.ts";
import { type ProxyFlags, parseFlags } from "./flags.ts";
import type { MachineLauncher } from "./machine-launcher.ts";
import { OwnerDoor } from "./owner-door.ts";
import { Relay } from "./relay.ts";
import { takeBack } from "./take-back.ts";
import { PROXY_VERSION } from "./version.ts";
import { VmFile, type VmSpec } from "./vm-spec.ts";
import { vmSpec } from "./vm-spec-shape.ts";
import { VmSupervisor } from "./vm-supervisor.ts";

type Launchers = Readonly<Record<string, MachineLauncher>>;

/** By then a container is started, as a rule. */
const START_MS = 1_000;

/**
 * Runs kata-proxy until its VM, or its channel, ends. Returns the exit status.
 *
 * @param launchers of the monitors that it can start machines of, by MachineDescription.monitor
 */
export async function main(argv: readonly string[], launchers: Launchers): Promise<number> {
  const flags = parseFlags(argv);
  if (flags.version) {
    process.stdout.write(`kata-proxy version ${PROXY_VERSION}\n`);
    return 0;
  }
  if (flags.takeBack !== undefined) return takeBackFrom(flags.takeBack, flags);
  if (flags.vm !== undefined) return supervise(flags.vm, flags, launchers);
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

/** For a kata-proxy that may not do so any more. */
async function takeBackFrom(directory: string, { abandoned }: ProxyFlags): Promise<number> {
  try {
    await takeBack(directory);
  } finally {
    if (abandoned) rmSync(directory, { recursive: true, force: true });
  }
  return 0;
}

async function supervise(specFile: string, flags: ProxyFlags, launchers: Launchers): Promise<number> {
  const control = flags.controlFd === undefined ? undefined : new StarterPipe(flags.controlFd);
  let spec: VmSpec;
  let supervisor: VmSupervisor;
  let door: OwnerDoor | undefined;
  try {
    spec = readSpec(specFile);
    if (spec.detachable === true) door = await OwnerDoor.open(join(spec.dir, VmFile.door));
    await stat("/"); // Node's pool of threads begins with it: see changeRootOfAllThreads().
    supervisor = await VmSupervisor.start(spec, launcherOf(spec, launchers), identifyProcess(process.pid));
    if (spec.cached !== true && !settlesLate(supervisor, spec)) await settle(supervisor);
  } catch (error) {
    control?.tellFailure(error);
    return 1;
  }
  const asked = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      asked.abort();
      void supervisor.stop();
    });
  }
  process.on("SIGHUP", () => undefined);
  control?.tell({ ok: true });
  if (settlesLate(supervisor, spec)) void settle(supervisor).catch(() => undefined);
  const abandoned = control === undefined ? undefined : servedBy(supervisor, spec, { control, door });
  const exit = await supervisor.ended;
  // No process has a record of this VM: its directory goes with it. A starter that stopped it still reads the directory.
  if (exit.reason !== "stopped") return 1;
  const isAbandoned = await Promise.race([abandoned, ...(asked.signal.aborted ? [Promise.resolve(false)] : [])]);
  await (isAbandoned === true ? supervisor.abandon() : supervisor.release());
  return 0;
}

/**
 * Whether the channel is connected when the starter has gone on: it restores the guest and makes the first call to it, or a program
 * serves the guest's vsock device, which is reached once the guest is up.
 */
function settlesLate(supervisor: VmSupervisor, spec: VmSpec): boolean {
  return spec.channelWaits === true || supervisor.settlesLate;
}

/** @throws Error that names the file */
function readSpec(path: string): VmSpec {
  try {
    return parseShape(vmSpec, readFileSync(path, "utf8"), "the VM's description");
  } catch (error) {
    throw new Error(`${path} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws Error where this kata-proxy is of another release than its starter */
function launcherOf({ machine: { monitor } }: VmSpec, launchers: Launchers): MachineLauncher {
  const launcher = Object.hasOwn(launchers, monitor) ? launchers[monitor] : undefined;
  if (launcher === undefined) throw new Error(`this kata-proxy cannot start machines of ${monitor}`);
  return launcher;
}

interface Owners {
  readonly control: StarterPipe;
  /** Of a VM that may outlive its starter. */
  readonly door: OwnerDoor | undefined;
}

function servedBy(supervisor: VmSupervisor, spec: VmSpec, { control, door }: Owners): Promise<boolean> {
  return door === undefined ? serve(supervisor, spec, control) : serveOwners(supervisor, control, door);
}

/** One after the other, until one ends without having let go of the VM: that ends with it. @returns true then */
async function serveOwners(supervisor: VmSupervisor, starter: StarterPipe, door: OwnerDoor): Promise<true> {
  supervisor.followNetwork();
  releaseMemorySoon();
  let owner = starter;
  while (await owner.committed()) owner = await door.next();
  await supervisor.stop();
  return true;
}

/** Waits until the VM belongs to a sandbox. @returns whether its starter or taker went away before that: then the VM ends */
async function serve(supervisor: VmSupervisor, spec: VmSpec, starter: StarterPipe): Promise<boolean> {
  let settled = await starter.committed();
  if (settled && spec.cached === true) {
    releaseMemorySoon();
    settled = await handOver(supervisor, await StarterPipe.accept(join(spec.dir, VmFile.take)));
  }
  if (!settled) await supervisor.stop();
  supervisor.followNetwork();
  releaseMemorySoon();
  return !settled;
}

/** Now that the VM's place is known, and before a container is in it. @throws LinuxError; the VM has ended then */
async function settle(supervisor: VmSupervisor): Promise<void> {
  try {
    supervisor.forwardPorts();
    await supervisor.confine();
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

/** Gives the VM to its taker. @returns whether the taker has committed it */
async function handOver(supervisor: VmSupervisor, taker: StarterPipe): Promise<boolean> {
  const surroundings = await taker.surroundings();
  if (surroundings === undefined) return false;
  try {
    supervisor.moveTo(surroundings);
    await settle(supervisor);
  } catch (error) {
    taker.tellFailure(error);
    return false;
  }
  taker.tell({ ok: true });
  return taker.committed();
}

function releaseMemorySoon(): void {
  setTimeout(releaseMemory, START_MS).unref();
}
