import { constants } from "node:os";
import { isHungUp, makeRaw, releaseMemory, setModes } from "@kata-ts/linux";
import { attach } from "./attach.ts";
import { confine } from "./confine.ts";
import { openConsole } from "./console.ts";
import { ControlPipe, type Target } from "./control.ts";
import { parseFlags, type ShimFlags } from "./flags.ts";
import type { GuestProcess } from "./guest-process.ts";
import { type HostStdio, openHostStdio } from "./host-stdio.ts";
import { catchSignals } from "./signals.ts";
import { StreamedProcess } from "./streamed-process.ts";
import { SHIM_VERSION } from "./version.ts";
import { followSize } from "./window-size.ts";

/** The exit status after the guest was lost, when the status of its process is unknown. */
const GUEST_LOST = 255;
const { SIGHUP, SIGWINCH } = constants.signals;
/** What is still there then runs for long, as a rule. */
const SETTLED_MS = 1_000;

/** Runs kata-shim: returns what it exits with, the process's own status. */
export async function main(argv: readonly string[]): Promise<number> {
  const flags = parseFlags(argv);
  if (flags.version) {
    process.stdout.write(`kata-shim version ${SHIM_VERSION}\n`);
    return 0;
  }
  const early: number[] = [];
  let onSignal = (signal: number): void => {
    early.push(signal);
  };
  catchSignals((signal) => {
    onSignal(signal);
  });
  const control = flags.controlFd === undefined ? undefined : new ControlPipe(flags.controlFd);
  const target = flags.agent === "" ? await control?.target() : { agent: flags.agent };
  if (target === undefined || flags.container === "") return 1;

  let guest: GuestProcess;
  let stdio: HostStdio;
  try {
    stdio =
      flags.consoleSocket === undefined
        ? openHostStdio(flags.terminal, flags.output)
        : await openConsole(flags.consoleSocket, flags.consoleSize);
    guest = await connect(target, flags); // The socket must be connected before its path is out of sight.
    if (control !== undefined) {
      const { user } = await control.place();
      if (user !== undefined) stdio.giveTo?.(user);
      // Without a stream of its own, a process takes further connections, to a socket that only root reaches. They have never
      // been possible from the container's files.
      if (flags.inContainer || target.token !== undefined) confine({ user, inContainer: flags.inContainer });
    }
  } catch (error) {
    control?.failed(error instanceof Error ? error.message : String(error));
    return 1;
  }
  // A terminal's resize and hang-up come as signals, and are the guest's terminal's; all others are the process's.
  const resized = followSize(stdio, guest);
  onSignal = (signal) => {
    if (signal === SIGWINCH && stdio.terminal !== undefined) resized();
    else if (signal === SIGHUP && stdio.isHungUp?.() === true) guest.hangUp();
    else guest.kill(signal).catch(() => undefined);
  };
  for (const signal of early) onSignal(signal);
  control?.ready();
  using _keys = passKeysOn(flags, stdio);
  setTimeout(releaseMemory, SETTLED_MS).unref();
  const status = await attach(guest, stdio).catch(() => undefined);
  await control?.released();
  if (status === undefined) return GUEST_LOST;
  return flags.proxyExitCode ? status : 0;
}

/**
 * Under the original's runtime, which leaves this to its shim, every key goes to the guest as it is: the guest's terminal
 * does the echo and the lines. Our own runtime does so before the process runs. Disposing it gives the terminal its modes back.
 */
function passKeysOn({ controlFd, consoleSocket }: ShimFlags, { terminal }: HostStdio): Disposable | undefined {
  if (controlFd !== undefined || consoleSocket !== undefined || terminal === undefined) return undefined;
  const before = makeRaw(terminal);
  return {
    [Symbol.dispose]: () => {
      if (!isHungUp(terminal)) setModes(terminal, before);
    },
  };
}

async function connect({ agent, token }: Target, { container, execId }: ShimFlags): Promise<GuestProcess> {
  if (token !== undefined) return StreamedProcess.open(agent, token);
  // Only here gRPC is needed.
  const { openProcess } = await import("./open-process.ts");
  return openProcess(agent, { containerId: container, execId });
}
