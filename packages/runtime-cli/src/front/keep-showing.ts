import { once } from "node:events";
import { watch } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import type { DroppedOutput } from "@kata-ts/virtcontainers/records";
import { print, printError, printed } from "../output/print.ts";
import { droppedText } from "./dropped-text.ts";
import type { OutputReader } from "./follow-output.ts";

/** A container's end is not among the changes of its files. */
const LOOK_MS = 500;

export interface Showing {
  /** Of the files that are read: it is watched. */
  readonly directory: string;
  /** What is not in the files any more. */
  readonly dropped: () => DroppedOutput;
  /** How many bytes of what a full disk had no room for the caller knows of. */
  readonly saidUnwritten: number;
  /** Whether no more can come. */
  readonly hasEnded: () => Promise<boolean>;
  /** The caller does not want more. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when the caller's reader has it: what comes meanwhile waits in the files, which are bounded, and not in memory.
 *
 * @param chunk of an {@link OutputReader}
 */
export async function showChunk(chunk: Buffer | undefined): Promise<void> {
  if (chunk === undefined) printError("kata: what comes here was overwritten before it was read\n");
  else print(chunk);
  await printed();
}

/** Shows what comes until no more can, or the caller does not want more. */
export async function keepShowing(
  reader: Pick<OutputReader, "read">,
  { directory, dropped, saidUnwritten, hasEnded, signal }: Showing,
): Promise<void> {
  let said = saidUnwritten;
  const watcher = watch(directory);
  try {
    for (;;) {
      const isOver = await hasEnded();
      for (const chunk of reader.read()) {
        await orInterrupted(showChunk(chunk), signal);
        // Where more comes than a terminal shows, this does not end by itself: signals have their turn.
        await turn();
        if (signal.aborted) return;
      }
      const { unwritten } = dropped();
      if (unwritten > said) printError(droppedText({ unwritten: unwritten - said }));
      said = unwritten;
      if (isOver || signal.aborted) return;
      const wake = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
      await once(watcher, "change", { signal: wake }).catch(() => undefined);
    }
  } finally {
    watcher.close();
  }
}

/** What comes first. Not by Promise.race with one promise of the interruption, which would keep a note of each chunk until then. */
async function orInterrupted(shown: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const interrupt = (): void => {
    resolve();
  };
  signal.addEventListener("abort", interrupt);
  if (signal.aborted) resolve();
  shown.then(resolve, reject);
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}
