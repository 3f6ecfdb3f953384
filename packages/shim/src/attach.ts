import type { Readable, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import type { GuestProcess } from "./guest-process.ts";
import type { HostStdio } from "./host-stdio.ts";

/**
 * Connects a guest process's streams to ours until the process ends. The status is reported only after both outputs
 * have been delivered to the last byte.
 *
 * @returns the exit status, or 128 + signal
 * @throws when the guest is lost before the process ended
 */
export async function attach(process: GuestProcess, stdio: HostStdio): Promise<number> {
  void feed(stdio, process);
  await Promise.all([deliver(process, "stdout", stdio.stdout), deliver(process, "stderr", stdio.stderr)]);
  return process.wait();
}

/** The process may close its input, or end, at any time: then our writer gets EPIPE, as from the process itself. */
async function feed({ stdin, isHungUp }: HostStdio, process: GuestProcess): Promise<void> {
  await pipeline(stdin, process.stdin).catch(() => undefined);
  if (isHungUp?.() === true) process.hangUp();
  stdin.destroy();
}

/** The process learns that a reader has closed, and the rest of its output is dropped. */
async function deliver(process: GuestProcess, name: "stdout" | "stderr", to: Writable): Promise<void> {
  const from: Readable = process[name];
  to.once("error", () => {
    to.on("error", () => undefined);
    from.unpipe(to);
    process.readerGone(name);
  });
  from.pipe(to);
  // wait() reports a lost guest.
  await finished(from).catch(() => undefined);
  if (!to.writableEnded) to.end();
  await finished(to).catch(() => undefined);
}
