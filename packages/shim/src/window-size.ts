import { type WindowSize, windowSize } from "@kata-ts/linux";
import type { GuestProcess } from "./guest-process.ts";
import type { HostStdio } from "./host-stdio.ts";

/**
 * Keeps the guest's terminal as large as ours. A resize comes as a signal, which what is typed after it may overtake:
 * the size is looked at before any input is passed on, too.
 *
 * @returns to be called when a signal says so
 */
export function followSize(stdio: HostStdio, guest: GuestProcess): () => void {
  const { terminal } = stdio;
  if (terminal === undefined) return () => undefined;
  let known: WindowSize = { rows: 0, columns: 0 };
  const look = (): void => {
    const size = sizeOf(terminal) ?? known;
    if (size.rows === known.rows && size.columns === known.columns) return;
    known = size;
    guest.resize(size);
  };
  look();
  stdio.stdin.on("data", look);
  return look;
}

/** A terminal that has hung up has none. */
function sizeOf(terminal: number): WindowSize | undefined {
  try {
    return windowSize(terminal);
  } catch {
    return undefined;
  }
}
