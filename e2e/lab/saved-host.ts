import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedDir, contentKey, defaultCacheDir } from "@kata-ts/guest-image";
import { execa } from "execa";
import { type HostImage, hostImage } from "./host-image.ts";
import { LabHost } from "./lab-host.ts";
import { labQemu } from "./lab-qemu.ts";
import type { HostSuite } from "./suites.ts";

/** A host that has booted: its disk and its state belong together, and neither changes. */
interface SavedHost {
  readonly image: HostImage;
  readonly state: string;
}

/** A host of the suite, as it was after its boot: seconds, where it was booted once. */
export async function resumeHost(suite: HostSuite): Promise<LabHost> {
  const { image, state } = await savedHost(suite);
  return LabHost.resume({ image }, state);
}

async function savedHost(suite: HostSuite): Promise<SavedHost> {
  const fresh = await hostImage(suite);
  const dir = await cachedDir(defaultCacheDir(), `lab-saved-${suite}-${await savedKey(fresh)}`, async (unfinished) => {
    const disk = join(unfinished, "root.ext4");
    await execa("cp", ["--sparse=always", fresh.disk, disk]);
    await using host = await LabHost.boot({ image: { ...fresh, disk }, keepChanges: true });
    await host.save(join(unfinished, "state.zst"));
  });
  return { image: { ...fresh, disk: join(dir, "root.ext4") }, state: join(dir, "state.zst") };
}

/** A state fits the machine that it was taken from, in the QEMU that took it. */
async function savedKey({ disk }: HostImage): Promise<string> {
  const { version } = await labQemu();
  const sources = ["machine.ts", "saved-host.ts"].map((name) => readFile(join(import.meta.dirname, name)));
  return contentKey(disk, version, ...(await Promise.all(sources)));
}
