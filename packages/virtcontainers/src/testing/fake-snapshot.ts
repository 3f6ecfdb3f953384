import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fingerprint } from "../ports/saved-vm.ts";
import { type SavedContainer, SNAPSHOT_FORMAT, type SnapshotManifest } from "../snapshot/manifest.ts";
import { SnapshotDirectory } from "../snapshot/snapshot-directory.ts";

const SUFFIX = "0123456789ab";

/** Writes a snapshot of a sandbox without disks, as a machine of this fingerprint would be saved. @param containers ids of some that run */
export function writeFakeSnapshot(
  directory: string,
  fingerprint: Fingerprint,
  containers: readonly string[] = [],
): Promise<SnapshotManifest> {
  return new SnapshotDirectory(directory).write(SUFFIX, async () => {
    const [memory, state] = [`memory-${SUFFIX}`, `state-${SUFFIX}`];
    for (const name of [memory, state]) await writeFile(join(directory, name), name);
    return {
      format: SNAPSHOT_FORMAT,
      created: "2026-01-01T00:00:00.000Z",
      sandboxId: "saved",
      vm: { memory, state, disks: [], growth: { vcpus: 0, memoryMiB: 0 }, accelerator: "fake" },
      fingerprint,
      containers: containers.map(running),
    };
  });
}

function running(id: string): SavedContainer {
  const demand = { milliCpus: 0, memoryMiB: 0 };
  return { id, process: { cwd: "/", args: ["sh"] }, hasDisks: false, status: "running", demand };
}
