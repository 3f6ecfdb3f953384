import { chmodSync, lchownSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { EditableSpec } from "./bundle.ts";
import type { Kata } from "./kata.ts";

/** Root of a container whose users are mapped is this user outside. */
export const MAPPED_ROOT = 100_000;

/** What an engine writes that maps users. */
const MAPPING = [{ containerID: 0, hostID: MAPPED_ROOT, size: 65_536 }] as const;

/**
 * Maps a container's users as engines do it: the bundle can be entered, and its files are the mapped root's.
 * @param path of another container's user namespace, which is joined
 * @param mapping what is written beside a path: podman writes any there
 */
export function mapUsers(
  spec: EditableSpec,
  { directory }: Kata,
  { path, mapping = MAPPING }: { path?: string; mapping?: readonly object[] } = {},
): void {
  const linux = spec.linux as { namespaces: object[] };
  const namespaces = [...linux.namespaces, path === undefined ? { type: "user" } : { type: "user", path }];
  spec.linux = { ...linux, namespaces, uidMappings: mapping, gidMappings: mapping };
  for (const { name, parentPath } of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const file = join(parentPath, name);
    if (file.includes(`/${spec.root.path}`)) lchownSync(file, MAPPED_ROOT, MAPPED_ROOT);
  }
  chmodSync(directory, 0o755);
}
