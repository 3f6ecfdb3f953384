import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DIST, ROOT } from "./paths.ts";

const STAMP: string = join(ROOT, "dist", "built");
const SOURCES = ["packages", "scripts", "pnpm-lock.yaml", "tsconfig.base.json"];
const SKIPPED = new Set(["node_modules", "dist", "gen"]);

/** Whether dist/kata-ts was built from the sources that are there now, with the kernel that would be chosen now. */
export async function isCurrent(kernel: string): Promise<boolean> {
  if (!existsSync(join(DIST, "share", "kata-ts", "rootfs.ext4"))) return false;
  const [key, used, index] = (await readFile(STAMP, "utf8").catch(() => "")).split(" ");
  if (key !== (await sourceKey())) return false;
  // Only now: a module that is loaded before it is compiled anew stays the old one.
  const { archiveIndex, tunedKernelIsBuilt } = await import("@kata-ts/guest-image");
  // Another index may have other versions of what is in the guest.
  if (index !== (await archiveIndex())) return false;
  const automatic = (await tunedKernelIsBuilt()) ? "tuned" : "distribution";
  return used === (kernel === "auto" ? automatic : kernel);
}

/** @param key of the sources when the build began: they may have changed since */
export async function remember(key: string, used: string): Promise<void> {
  const { archiveIndex } = await import("@kata-ts/guest-image");
  await writeFile(STAMP, `${key} ${used} ${String(await archiveIndex())}`);
}

export async function sourceKey(): Promise<string> {
  const hash = createHash("sha256");
  for (const source of SOURCES) await addTo(hash, join(ROOT, source));
  return hash.digest("hex");
}

async function addTo(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    hash.update(path).update(await readFile(path));
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!SKIPPED.has(entry.name)) await addTo(hash, join(path, entry.name));
  }
}
