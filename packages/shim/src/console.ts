import { closeSync } from "node:fs";
import {
  isHungUp,
  makeRaw,
  openTerminal,
  sendConsole,
  setControllingTerminal,
  setWindowSize,
  type WindowSize,
} from "@kata-ts/linux";
import { type HostStdio, nowhere, terminalInput, terminalOutput } from "./host-stdio.ts";

/**
 * A terminal for an engine: its master goes to the engine's console socket, and we keep the slave, raw, because the
 * guest's own terminal does the echo and the lines. As our controlling terminal it signals its resizes and its hang-up.
 */
export async function openConsole(socket: string, size: WindowSize | undefined): Promise<HostStdio> {
  const { master, slave } = openTerminal();
  try {
    makeRaw(slave);
    if (size !== undefined) setWindowSize(master, size);
    setControllingTerminal(slave);
    await sendConsole(socket, master);
  } catch (error) {
    closeSync(slave);
    throw error;
  } finally {
    closeSync(master);
  }
  return {
    stdin: terminalInput(slave),
    stdout: terminalOutput(slave),
    stderr: nowhere(),
    terminal: slave,
    isHungUp: () => isHungUp(slave),
  };
}
