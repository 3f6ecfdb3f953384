import { join } from "node:path";
import { prepareGuest } from "@kata-ts/guest-image";
import { bundleAgent } from "../../scripts/lib/bundle-agent.ts";
import { runCommand } from "./command.ts";
import { ROOT, SHARE } from "./paths.ts";

/** The installed guest's root file system. */
const INSTALLED: string = join(SHARE, "rootfs.ext4");

/** QuickJS in the guest. */
export const KATA_JS = "/usr/lib/kata-agent/kata-js";

/** What the installed guest's agent runs on. @returns the program's path in the guest */
export async function programOfAgent(): Promise<string> {
  return (await hasFile(INSTALLED, KATA_JS)) ? KATA_JS : "/usr/bin/node";
}

/** A root file system whose agent runs on QuickJS: the installed image, or another that is made beside it. */
export async function imageWithoutNode(): Promise<string> {
  if (await hasFile(INSTALLED, KATA_JS)) return INSTALLED;
  const agent = await bundleAgent("quickjs", join(ROOT, "dist", "agent-quickjs"));
  return (await prepareGuest({ agentDir: agent.directory, kernel: "tuned" })).imagePath;
}

/** Whether an ext4 image has a file. */
export async function hasFile(image: string, path: string): Promise<boolean> {
  const { stdout } = await runCommand("debugfs", ["-R", `stat ${path}`, image]);
  return stdout.includes("Inode:");
}
