import { join } from "node:path";
import { runCommand } from "./command.ts";
import { SHARE } from "./paths.ts";

/** The installed guest's root file system. */
export const IMAGE: string = join(SHARE, "rootfs.ext4");

/** QuickJS in the guest: it runs the agent. */
export const KATA_JS = "/usr/lib/kata-agent/kata-js";

/** Whether an ext4 image has a file. */
export async function hasFile(image: string, path: string): Promise<boolean> {
  const { stdout } = await runCommand("debugfs", ["-R", `stat ${path}`, image]);
  return stdout.includes("Inode:");
}
