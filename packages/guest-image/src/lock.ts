import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/**
 * Runs a body while no other process runs one of the same name in this cache. The kernel gives the lock back when the
 * holder dies, however that happens: flock(1) holds it for as long as its standard input is open.
 */
export async function withLock<T>(cacheDir: string, name: string, body: () => Promise<T>): Promise<T> {
  const dir = join(cacheDir, ".locks");
  await mkdir(dir, { recursive: true });
  const holder = execa("flock", [join(dir, name), "sh", "-c", "echo locked; exec cat >/dev/null"], { reject: false });
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once("data", resolve);
    holder.then((result) => {
      reject(new Error(`flock: ${result.stderr || String(result.shortMessage)}`));
    }, reject);
  });
  try {
    return await body();
  } finally {
    holder.stdin.end();
    await holder;
  }
}
