import { constants } from "node:os";
import type { GuestProcess } from "@kata-ts/shim";
import { Collected } from "./collected.ts";
import type { LimitReason } from "./limit.ts";
import type { ResultOptions } from "./result-options.ts";

/** What became of a process. A status other than 0 is a result like any other, never an exception. */
export interface ProcessResult {
  /** 0 to 255; 128 + N for a process that signal N ended, which a process can also exit with by itself. */
  readonly exitCode: number;
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | undefined;
  /**
   * Why it ended: by itself (`exited`), by a signal of another program (`signalled`), by the caller's `timeoutMs` or `signal`, or
   * because the kernel killed it when its container had no memory left. An agent of Kata's 1.x contract cannot tell
   * `outOfMemory` from `signalled`, nor an exit with a status above 128 from a signal.
   */
  readonly reason: "exited" | "signalled" | "outOfMemory" | LimitReason;
  /** What it wrote, as UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
  /** Something is missing above: it wrote more than was to be kept. */
  readonly truncated: boolean;
}

const MAX_BYTES = 16 * 2 ** 20;
const FIRST_SIGNAL_STATUS = 128;

/**
 * Reads all that a process writes until it ends.
 *
 * @param wait waits for its status
 * @throws when the guest is lost before the process ended
 */
export async function resultOf(
  guest: GuestProcess,
  { input, maxBytes = MAX_BYTES }: Pick<ResultOptions, "input" | "maxBytes">,
  wait: () => Promise<number> = () => guest.wait(),
): Promise<ProcessResult> {
  // One that does not read what it is given may still have a result.
  guest.stdin.on("error", () => undefined).end(input);
  const outputs = [new Collected(guest.stdout, maxBytes), new Collected(guest.stderr, maxBytes)] as const;
  const [stdout = "", stderr = ""] = await Promise.all(outputs.map(({ text }) => text));
  const exitCode = await wait();
  const signal = signalOf(exitCode);
  const reason = guest.cause ?? (signal === undefined ? "exited" : "signalled");
  const truncated = outputs.some((output) => output.truncated);
  return { exitCode, signal: reason === "exited" ? undefined : signal, reason, stdout, stderr, truncated };
}

function signalOf(status: number): NodeJS.Signals | undefined {
  const number = status - FIRST_SIGNAL_STATUS;
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] as NodeJS.Signals | undefined;
}
