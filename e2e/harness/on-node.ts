import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { prepareGuest } from "@kata-ts/guest-image";
import { bundleAgent } from "../../scripts/lib/bundle-agent.ts";
import { NODE_BINARY } from "../../scripts/lib/paths.ts";
import { placePrograms } from "../../scripts/lib/place-programs.ts";
import { DIST, SHARE } from "./paths.ts";

/** Puts the programs of an installed tree on Node, as a build with KATA_TS_ENGINE=node does. */
export async function putProgramsOnNode(tree: string): Promise<void> {
  await placePrograms(tree, { KATA_TS_COMMIT: '"unknown"' }, "node");
}

/**
 * Makes a copy of the installed tree whose programs and agent run on Node.
 *
 * @param directory an empty one; @returns the tree's path
 */
export async function treeOnNode(directory: string): Promise<string> {
  const tree = join(directory, "tree");
  for (const part of ["bin", "libexec"]) await cp(join(DIST, part), join(tree, part), { recursive: true });
  await putProgramsOnNode(tree);
  const agent = await bundleAgent("node", join(directory, "agent"));
  const { imagePath } = await prepareGuest({ agentDir: agent.directory, nodeBinary: NODE_BINARY, kernel: "tuned" });
  const share = join(tree, "share", "kata-ts");
  mkdirSync(share, { recursive: true });
  for (const file of readdirSync(SHARE)) {
    symlinkSync(file === "rootfs.ext4" ? imagePath : join(SHARE, file), join(share, file));
  }
  return tree;
}
