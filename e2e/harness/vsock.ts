import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { cachedImage, downloadPackages } from "./images.ts";

/** The first release of Debian that has it; it needs a C library as old as Debian 12's. */
const SUITE = "forky";

/** vhost-device-vsock: serves a guest's vsock device on a host whose kernel has no vhost-vsock. */
async function vsockDaemon(): Promise<string> {
  const directory = await cachedImage("vhost-device-vsock", async (dir) => {
    await downloadPackages(SUITE, ["vhost-device-vsock"], dir);
    for (const deb of readdirSync(dir).filter((name) => name.endsWith(".deb"))) {
      await execa("dpkg-deb", ["--extract", join(dir, deb), dir]);
      rmSync(join(dir, deb));
    }
  });
  return join(directory, "usr", "bin", "vhost-device-vsock");
}

/** A configuration whose guests are reached over vsock. */
export async function vsockConfiguration(): Promise<string> {
  return `[hypervisor.qemu]\nuse_vsock = true\nvsock_daemon = "${await vsockDaemon()}"\n`;
}
