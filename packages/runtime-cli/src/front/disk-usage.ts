import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

const BLOCK_BYTES = 512;

/** What a directory takes of its disk, in bytes: a file with several links once, holes not at all. Links are not followed. */
export async function diskUsage(directory: string): Promise<number> {
  const seen: Set<string> = new Set();
  const waiting = [directory];
  let bytes = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const found = await lstat(path, { bigint: true }).catch(() => undefined); // It may go meanwhile.
    if (found === undefined) continue;
    const key = `${String(found.dev)}:${String(found.ino)}`;
    if (found.nlink > 1n && !found.isDirectory()) {
      if (seen.has(key)) continue;
      seen.add(key);
    }
    bytes += Number(found.blocks) * BLOCK_BYTES;
    if (!found.isDirectory()) continue;
    const names = await readdir(path).catch(() => []);
    for (const name of names) waiting.push(join(path, name));
  }
  return bytes;
}
