import { realpath, stat } from "node:fs/promises";
import { KataError } from "../errors.ts";
import { coveringMount, mountTable } from "../host/mount-table.ts";
import type { ShareOptions } from "../ports/hypervisor.ts";

/** What a guest gets of the host for a file or directory, however many of its mounts name it. */
export interface Export {
  /** The same for the same file of the same file system: the guest then has one inode for it, as on one kernel. */
  readonly name: string;
  readonly isDirectory: boolean;
  /** The host itself has it mounted read-only, and it stays so. */
  readonly readonlyOnHost: boolean;
  /** With the mounts below it. */
  readonly recursive: boolean;
}

/**
 * Names the export for a source. What is seen in it differs only by the mounts below the source: by whether they are there,
 * are all read-only, and come and go as on the host. These make exports of their own.
 *
 * @throws KataError KATA_MOUNT_SOURCE
 */
export async function exportOf(source: string, options: ShareOptions, mountinfo?: string): Promise<Export> {
  const found = await stat(source, { bigint: true }).catch((error: unknown) => missing(source, error));
  const path = await realpath(source).catch((error: unknown) => missing(source, error));
  const mounts = mountTable(mountinfo);
  const below = path === "/" ? "/" : `${path}/`;
  const recursive = options.recursive && mounts.some(({ point }) => point.startsWith(below) && point !== "/");
  const readonlyTree = options.readonlyTree === true && recursive;
  const readonlyOnHost = coveringMount(mounts, path)?.readonly ?? false;
  // The guest's own read-only flag would cover the mounts below, and is left out: only the host holds the guest to it.
  const readonlyTop = options.readonly && recursive && !readonlyTree;
  const follows = options.propagation === "slave";
  const pinned = (options.pinned?.length ?? 0) > 0;
  const kinds = { tree: recursive, top: readonlyTop, rro: readonlyTree, slave: follows, ro: readonlyOnHost, pinned };
  const kind = Object.entries(kinds).flatMap(([suffix, holds]) => (holds ? [`-${suffix}`] : []));
  const name = `${found.dev.toString(16)}-${found.ino.toString(16)}${kind.join("")}`;
  return { name, isDirectory: found.isDirectory(), readonlyOnHost, recursive };
}

function missing(source: string, error: unknown): never {
  throw new KataError(
    "KATA_MOUNT_SOURCE",
    `mount source ${source}: ${(error as NodeJS.ErrnoException).code ?? "unreadable"}`,
    {
      cause: error,
      hint: "the path must exist on the host",
    },
  );
}
