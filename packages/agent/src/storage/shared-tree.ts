import { readFileSync } from "node:fs";
import { unmount } from "@kata-ts/linux";

/** Where the host's shared tree is mounted: Kata's path. */
const SHARED = "/run/kata-containers/shared/containers";

/**
 * Lets go of what the host has shared for one container. Every mount of the host's is a mount here as well, which came
 * by itself when it was first looked at; while it stays, the host's daemon keeps the files open.
 */
export function releaseShared(containerId: string): void {
  const below = `${SHARED}/${containerId}/`;
  const mounted = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(below));
  for (const path of mounted.reverse()) unmount(path);
}
