import { writeSync } from "node:fs";

type Output = "stdout" | "stderr";

const DESCRIPTORS: Readonly<Record<Output, number>> = { stdout: 1, stderr: 2 };

/** Those whose reader is late: what was not taken yet waits in Node's stream, and what comes after it goes there, too. */
const late: Set<Output> = new Set();

/**
 * Writes to standard output, and throws where its reader has closed. Not by `process.stdout`: for a pipe that loads Node's
 * sockets and all kinds of streams, a tenth of what a `state` takes, and makes the caller's pipe one that does not block.
 */
export function print(text: string | Uint8Array): void {
  write("stdout", text);
}

/** To standard error. A closed reader must not keep a container from being deleted. */
export function printError(text: string | Uint8Array): void {
  try {
    write("stderr", text);
  } catch {
    return;
  }
}

/** Resolves when the readers have taken all: a program that exits before that cuts it off. */
export async function printed(): Promise<void> {
  await Promise.all(
    [...late].map(async (output) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      process[output].write("", () => {
        resolve();
      });
      await promise;
    }),
  );
}

function write(output: Output, text: string | Uint8Array): void {
  const rest = late.has(output) ? Buffer.from(text) : writeNow(output, Buffer.from(text));
  if (rest.length > 0) process[output].write(rest);
}

/** Gives back what there was no room for in a pipe that does not block. */
function writeNow(output: Output, text: Buffer): Buffer {
  let rest = text;
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(DESCRIPTORS[output], rest));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    if (output === "stderr") process.stderr.on("error", () => undefined);
    late.add(output);
  }
  return rest;
}
