import type { SpecProcess } from "@kata-ts/agent-protocol";
import type { ShimRequest } from "../ports/shims.ts";

/** What a process's shim has to know of its terminal. */
export function terminalOf(process: SpecProcess | undefined, consoleSocket?: string): Pick<ShimRequest, "terminal"> {
  if (process?.terminal !== true) return {};
  const size = process.consoleSize;
  return {
    terminal: {
      consoleSocket,
      ...(size === undefined ? {} : { size: { rows: size.height, columns: size.width } }),
    },
  };
}
