import { once } from "node:events";
import { closeSync, watch } from "node:fs";
import { openPath, type Root } from "@kata-ts/tree";
import type { TransferStreams } from "./transfer.ts";

/** Events that wait for a host that does not read: more are dropped, and `overflow` says so. */
const MAX_WAITING = 1000;

/**
 * Sends a line for each change of a directory's entries, or of a file, until it is ended: `{"type": "rename" | "change", "name"}`, and first
 * `{"type": "ready"}` once changes are seen.
 */
export async function watchDirectory(root: Root, path: string, { send, signal }: TransferStreams): Promise<void> {
  const handle = await root.handle(path);
  try {
    const waiting: object[] = [{ type: "ready" }];
    const watcher = watch(openPath(handle), { persistent: true }, (type, name) => {
      if (waiting.length === MAX_WAITING) waiting.push({ type: "overflow" });
      else if (waiting.length < MAX_WAITING) waiting.push({ type, name: name ?? "" });
      watcher.emit("waiting");
    });
    const failed = once(watcher, "error", { signal });
    failed.catch(() => undefined);
    try {
      for (;;) {
        const events = waiting.splice(0);
        if (events.length > 0) await send(Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join("")));
        else await once(watcher, "waiting", { signal });
      }
    } finally {
      watcher.close();
    }
  } finally {
    closeSync(handle);
  }
}
