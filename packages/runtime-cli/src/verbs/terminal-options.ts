import { constants, openSync } from "node:fs";
import { resolve } from "node:path";
import { isatty } from "node:tty";
import type { SpecProcess } from "@kata-ts/agent-protocol";
import { windowSize } from "@kata-ts/linux";
import { UsageError } from "../arguments/parse.ts";

/**
 * Which socket gets the terminal's master; undefined where our own terminal is the process's. The rules and their words
 * are runc's.
 *
 * @throws UsageError when terminal, console socket and detaching do not fit together
 */
export function checkedConsoleSocket(
  wanted: string | undefined,
  terminal: boolean,
  detached: boolean,
): string | undefined {
  const socket = wanted ?? "";
  if (detached && terminal && socket === "") {
    throw new UsageError("cannot allocate tty if the runtime will detach without setting console socket");
  }
  if ((!detached || !terminal) && socket !== "") {
    throw new UsageError("cannot use console socket if the runtime will not detach or allocate tty");
  }
  if (terminal && !detached && terminalOfOurs() === undefined) {
    throw new UsageError("cannot allocate tty: this process has no terminal");
  }
  return socket === "" ? undefined : resolve(socket);
}

/** A process whose terminal is as large as ours from its first moment: later it would have to be lucky to see it. */
export function withOwnSize(process: SpecProcess): SpecProcess {
  const terminal = terminalOfOurs();
  if (terminal === undefined || process.consoleSize !== undefined) return process;
  const { rows, columns } = windowSize(terminal);
  return rows === 0 || columns === 0 ? process : { ...process, consoleSize: { height: rows, width: columns } };
}

/** The standard stream that is a terminal, or else our controlling terminal. */
export function terminalOfOurs(): number | undefined {
  return [0, 1, 2].find((fd) => isatty(fd)) ?? controllingTerminal();
}

function controllingTerminal(): number | undefined {
  try {
    return openSync("/dev/tty", constants.O_RDWR);
  } catch {
    return undefined;
  }
}
