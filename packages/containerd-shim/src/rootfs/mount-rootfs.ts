import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { RpcError, RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { LinuxError, MountFlag, mount, mountInThread, unmountInThread } from "@kata-ts/linux";
import type { containerd } from "#gen/containerd";
import { type MountOptions, mountOptions } from "./mount-options.ts";
import { shortened } from "./overlay.ts";

type Mount = containerd.types.Mount.$Properties;

/** The directory of a bundle that its root file system is mounted on. */
function rootfsOf(bundle: string): string {
  return join(bundle, "rootfs");
}

/**
 * Mounts what a snapshotter says a root file system is made of: an overlay, a directory, a block device. Where one of several
 * fails, none stays.
 *
 * @throws RpcError that names the mount
 */
export async function mountRootfs(mounts: readonly Mount[], bundle: string): Promise<void> {
  const target = rootfsOf(bundle);
  if (mounts.length > 0) await mkdir(target, { recursive: true, mode: 0o711 });
  for (const each of mounts) {
    const at = each.target ? join(target, each.target) : target;
    try {
      await mountOne(each, at);
    } catch (error) {
      await unmountRootfs(bundle);
      const what = `${each.type ?? ""} ${each.source ?? ""} on ${at}`;
      throw new RpcError(
        RpcStatus.FailedPrecondition,
        `the root file system cannot be mounted (${what}): ${reasonOf(error)}`,
      );
    }
  }
}

async function mountOne({ type, source, options }: Mount, target: string): Promise<void> {
  const parsed = mountOptions(options ?? []);
  const from = source ?? "";
  if ((parsed.flags & MountFlag.bind) !== 0) await mountBind(from, target, parsed);
  else await mountFileSystem(from, target, type ?? "", parsed);
}

/** The kernel takes no other options with a bind mount: they are set afterwards. */
async function mountBind(source: string, target: string, { flags }: MountOptions): Promise<void> {
  const recursive = flags & MountFlag.rec;
  await mountInThread(source, target, null, MountFlag.bind | recursive);
  const others = flags & ~(MountFlag.bind | MountFlag.rec);
  if (others !== 0) await mountInThread(source, target, null, MountFlag.bind | MountFlag.remount | others);
}

async function mountFileSystem(
  source: string,
  target: string,
  type: string,
  { flags, data }: MountOptions,
): Promise<void> {
  const short = shortened(data);
  if (short === undefined) {
    await mountInThread(source, target, type, flags, data);
    return;
  }
  // All threads share the working directory: no other work may come between.
  process.chdir(short.directory);
  try {
    mount(source, target, type, flags, short.data);
  } finally {
    process.chdir("/");
  }
}

/** Takes off all that is mounted there, while the pod's other containers are served. Idempotent. */
export async function unmountRootfs(bundle: string): Promise<void> {
  const target = rootfsOf(bundle);
  for (const path of mountsBelow(target)) await unmountInThread(path);
}

/** The latest first, with those that are mounted over each other. */
function mountsBelow(target: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => unescapeOctal(line.split(" ")[4] ?? ""))
    .filter((path) => path === target || path.startsWith(`${target}/`))
    .reverse();
}

/** The kernel writes blanks and backslashes in octal. */
function unescapeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function reasonOf(error: unknown): string {
  if (error instanceof LinuxError) return error.errno;
  return error instanceof Error ? error.message : String(error);
}
