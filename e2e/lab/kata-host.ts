import { join } from "node:path";
import { execa } from "execa";
import { DIST } from "../harness/paths.ts";
import type { LabHost } from "./lab-host.ts";
import { resumeHost } from "./saved-host.ts";
import type { HostSuite } from "./suites.ts";

/** Where a host has our build. */
const PREFIX = "/opt/kata-ts";

/** A host with `dist/kata-ts` at /opt/kata-ts, and its programs on the path. */
export async function resumeKataHost(suite: HostSuite): Promise<LabHost> {
  const host = await resumeHost(suite);
  try {
    const disk = join(host.directory, "kata-ts.ext4");
    await makeDisk(disk);
    await host.mountDisk(disk, "kata-ts", PREFIX);
    await host.ok(`ln -s ${PREFIX}/bin/* /usr/local/bin/`);
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

async function makeDisk(disk: string): Promise<void> {
  const { stdout } = await execa("du", ["-sm", DIST]);
  const mebibytes = Math.ceil(Number.parseInt(stdout, 10) * 1.1) + 64;
  const options = ["-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard"];
  await execa("mke2fs", ["-q", "-t", "ext4", "-d", DIST, ...options, disk, `${String(mebibytes)}M`]);
}
