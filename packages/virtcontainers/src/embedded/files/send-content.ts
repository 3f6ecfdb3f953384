import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { buffers, type FileContent } from "./file-content.ts";

/** Gives an operation its input, as fast as it takes it. */
export async function sendContent(
  content: FileContent,
  { stdin, stdout }: { readonly stdin: Writable; readonly stdout: Readable },
  signal: AbortSignal,
): Promise<void> {
  stdout.resume();
  const pieces = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
  for await (const piece of buffers(pieces)) {
    if (stdin.destroyed) break; // It ended early, and says why.
    if (stdin.write(piece)) continue;
    await Promise.race([once(stdin, "drain", { signal }), once(stdin, "close", { signal })]).catch(() => undefined);
  }
  stdin.end();
}
