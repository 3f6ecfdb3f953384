import { MountFlag } from "@kata-ts/linux";

/** What mount(2) takes of a list of options. */
export interface MountOptions {
  readonly flags: number;
  /** The file system's own, separated by commas. */
  readonly data: string;
}

/** Options that set a flag, or clear one. */
const FLAGS: Readonly<Record<string, { readonly set?: number; readonly clear?: number }>> = {
  ro: { set: MountFlag.rdonly },
  rw: { clear: MountFlag.rdonly },
  nosuid: { set: MountFlag.nosuid },
  suid: { clear: MountFlag.nosuid },
  nodev: { set: MountFlag.nodev },
  dev: { clear: MountFlag.nodev },
  noexec: { set: MountFlag.noexec },
  exec: { clear: MountFlag.noexec },
  sync: { set: MountFlag.synchronous },
  async: { clear: MountFlag.synchronous },
  dirsync: { set: MountFlag.dirsync },
  noatime: { set: MountFlag.noatime },
  atime: { clear: MountFlag.noatime },
  nodiratime: { set: MountFlag.nodiratime },
  diratime: { clear: MountFlag.nodiratime },
  relatime: { set: MountFlag.relatime },
  norelatime: { clear: MountFlag.relatime },
  strictatime: { set: MountFlag.strictatime },
  nostrictatime: { clear: MountFlag.strictatime },
  bind: { set: MountFlag.bind },
  rbind: { set: MountFlag.bind + MountFlag.rec },
  defaults: {},
};

export function mountOptions(options: readonly string[]): MountOptions {
  let flags = 0;
  const data: string[] = [];
  for (const option of options) {
    const change = FLAGS[option];
    if (change === undefined) data.push(option);
    else flags = (flags | (change.set ?? 0)) & ~(change.clear ?? 0);
  }
  return { flags, data: data.join(",") };
}
