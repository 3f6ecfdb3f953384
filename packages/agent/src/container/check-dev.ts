import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { invalidArgument } from "../errors.ts";

/**
 * crun before 1.28 follows an image's `/dev` out of the container, and makes devices and links where it leads in the guest's own
 * tree (CVE-2026-47766).
 *
 * @param root the root file system, as the guest has it
 * @throws AgentRpcError INVALID_ARGUMENT where `/dev` is a link
 */
export function checkDev(root: string): void {
  const dev = join(root, "dev");
  if (lstatSync(dev, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw invalidArgument(
    `/dev of the root file system is a symbolic link to "${readlinkSync(dev)}"; it has to be a directory`,
  );
}
