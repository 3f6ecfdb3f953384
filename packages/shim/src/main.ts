import { connectAgent } from "@kata-ts/agent-protocol";
import { attach, forwardSignal } from "./attach.ts";
import { enterContainerView } from "./container-view.ts";
import { ControlPipe } from "./control.ts";
import { parseFlags } from "./flags.ts";
import { openHostStdio } from "./host-stdio.ts";
import { catchSignals } from "./signals.ts";
import { SHIM_VERSION } from "./version.ts";

/** What a waiter sees when the guest was lost: no status of a process can be told from it. */
const GUEST_LOST = 255;

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
  const url = flags.agent === "" ? await control?.agentUrl() : flags.agent;
  if (url === undefined || flags.container === "") return 1;

  const stdio = openHostStdio();
  const address = { containerId: flags.container, execId: flags.execId };
  using agent = connectAgent(url);
  try {
    await agent.check({}); // The socket must be connected before its path is out of sight.
    if (flags.root !== undefined) enterContainerView(flags.root);
  } catch (error) {
    control?.failed(error instanceof Error ? error.message : String(error));
    return 1;
  }
  onSignal = (signal) => {
    forwardSignal(agent, address, signal).catch(() => undefined);
  };
  for (const signal of early) onSignal(signal);
  control?.ready();
  try {
    const status = await attach(agent, address, stdio);
    return flags.proxyExitCode ? status : 0;
  } catch {
    return GUEST_LOST;
  }
}
