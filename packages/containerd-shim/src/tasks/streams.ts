import type { Readable, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { TaskStdio } from "../stdio/stdio.ts";
import type { Exit, PodProcess } from "./pod.ts";

/** How long output that its reader does not take may hold up the news of an exit: as long as containerd's own shims wait. */
const DELIVERY_DEADLINE_MS = 10_000;

/**
 * Connects a guest process's streams with the host's. The exit is told after both outputs have been delivered; where their reader
 * takes nothing, it is told all the same after a while.
 */
export async function connectStreams(process: PodProcess, stdio: TaskStdio): Promise<Exit> {
  void feed(stdio.stdin, process.stdin);
  const delivered = Promise.all([deliver(process, "stdout", stdio.stdout), deliver(process, "stderr", stdio.stderr)]);
  const exit = await process.exited;
  await Promise.race([delivered, delay(DELIVERY_DEADLINE_MS, undefined, { ref: false })]);
  stdio.stdin.destroy();
  return exit;
}

/** Lets a process that was killed end where its output holds it up: the rest of that is dropped then. */
export async function dropOutputUnlessEnded(process: PodProcess): Promise<void> {
  const inTime = await Promise.race([
    process.exited.then(() => true),
    delay(DELIVERY_DEADLINE_MS, false, { ref: false }),
  ]);
  if (inTime) return;
  process.readerGone("stdout");
  process.readerGone("stderr");
}

/** A process may close its input, or end, at any time. */
async function feed(from: Readable, to: Writable): Promise<void> {
  await pipeline(from, to).catch(() => undefined);
}

async function deliver(process: PodProcess, name: "stdout" | "stderr", to: Writable): Promise<void> {
  const from = process[name];
  to.once("error", () => {
    to.on("error", () => undefined);
    from.unpipe(to);
    process.readerGone(name);
  });
  from.pipe(to);
  // The exit reports a guest that is lost.
  await finished(from).catch(() => undefined);
  if (!to.writableEnded) to.end();
  await finished(to).catch(() => undefined);
}
