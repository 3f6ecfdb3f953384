import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Container, Sandbox } from "@kata-ts/virtcontainers";
import { busyboxRootfs } from "./images.ts";
import { SHARE } from "./paths.ts";

const vm = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };
/** In memory, so that no test is about the host's file system. */
const MOUNTS = [{ destination: "/srv", type: "tmpfs", source: "tmpfs", options: ["size=256m", "mode=755"] }];

/** A container of an embedded sandbox, and a directory of the host with a `secret` that it has no part in. */
export async function withContainer(use: (container: Container, directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "kata-files-"));
  const place = mkdtempSync(join(tmpdir(), "kata-files-rootfs-"));
  const rootfs = join(place, "rootfs"); // Which gets a mount point.
  try {
    writeFileSync(join(directory, "secret"), "the host's");
    await using sandbox = await Sandbox.create({ vm });
    cpSync(await busyboxRootfs(), rootfs, { recursive: true, verbatimSymlinks: true });
    await using container = await sandbox.createContainer({ rootfs, args: ["sleep", "1000"], mounts: MOUNTS });
    await use(container, directory);
  } finally {
    for (const made of [directory, place]) rmSync(made, { recursive: true });
  }
}
