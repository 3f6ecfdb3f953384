import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { SpecMount } from "@kata-ts/agent-protocol";
import { KataError, reasonOf } from "../errors.ts";
import type { Agent } from "../ports/agent.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";

/** resolv.conf, hosts and the like; what is larger is no setting. */
const MOST_BYTES = 1024 ** 2;
/** Where the guest has what belongs to a container, and goes with it. */
const BUNDLES = "/run/kata-containers/bundles";

/**
 * Gives a guest that shares no files the copy of a file that a bind mount names: of this moment, and what the container writes to
 * it stays in the guest.
 *
 * @throws KataError KATA_MOUNT_SOURCE, KATA_UNSUPPORTED for a directory and for large files
 */
export async function copyBind(
  agent: Pick<Agent, "copyFile">,
  containerId: string,
  mount: SpecMount,
  index: number,
): Promise<SpecMount> {
  const { source = "", destination } = mount;
  // A pipe that no process writes to is not waited for.
  await using file = await open(source, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new KataError("KATA_MOUNT_SOURCE", `mount source ${source}: ${reasonOf(error)}`, { cause: error });
  });
  const stats = await file.stat();
  const { size, mode, uid, gid } = stats;
  if (!stats.isFile() || size > MOST_BYTES) {
    const what = stats.isFile() ? `has ${String(size)} bytes` : "is not a file";
    const problem = `${source} cannot be mounted at ${destination}: it ${what}, and its sandbox shares no files`;
    throw new KataError("KATA_UNSUPPORTED", problem, {
      hint: `files of up to ${String(MOST_BYTES)} bytes are copied; put others on a block device, or choose another vm.sharedFs`,
    });
  }
  const path = `${BUNDLES}/${containerId}/files/${String(index)}`;
  const copy = { path, file_size: size, file_mode: mode & 0o7777, dir_mode: 0o700, uid, gid, offset: 0 };
  await wrapAgentError(`copy ${source} to the guest`, agent.copyFile({ ...copy, data: await file.readFile() }));
  return { ...mount, source: path, type: "bind" };
}
