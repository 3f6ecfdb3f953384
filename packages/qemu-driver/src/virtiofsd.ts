import { option } from "./option.ts";
import type { QmpClient } from "./qmp/client.ts";

/** The daemon that serves a host directory to a guest over virtio-fs: QEMU 7's, in C. */
export interface VirtiofsdConfig {
  /** Absolute path of virtiofsd. */
  readonly path: string;
  /** The unix socket that it listens on, for one guest. */
  readonly socket: string;
  /**
   * A descriptor that listens at this socket, which virtiofsd inherits. One that makes the socket itself leaves a file of
   * its own in /run/virtiofsd for each guest.
   */
  readonly listenFd?: number;
  /** The directory it serves; it sees nothing else. */
  readonly source: string;
  readonly cache: "none" | "auto" | "always";
  /** Appended as they are, and so win over ours. */
  readonly extraArguments?: readonly string[];
}

/** virtiofsd's arguments. Its own sandbox (mount, pid and network namespaces, seccomp) stays on. */
export function virtiofsdArgv(config: VirtiofsdConfig): string[] {
  const options = option("", { source: config.source, cache: config.cache, sandbox: "namespace" });
  const socket = config.listenFd === undefined ? `--socket-path=${config.socket}` : `--fd=${String(config.listenFd)}`;
  return [socket, "-o", `${options},xattr,announce_submounts`, ...(config.extraArguments ?? [])];
}

/** Where a plugged device went. */
export interface PluggedVirtioFs {
  readonly id: string;
}

/** Plugs a virtio-fs device into a free root port of a running machine. */
export async function plugVirtioFs(
  qmp: QmpClient,
  device: { readonly id: string; readonly socket: string; readonly tag: string; readonly rootPort: string },
): Promise<PluggedVirtioFs> {
  const backend = { type: "socket", data: { addr: { type: "unix", data: { path: device.socket } }, server: false } };
  await qmp.execute("chardev-add", { id: `${device.id}-char`, backend });
  await qmp.execute("device_add", {
    driver: "vhost-user-fs-pci",
    event_idx: false, // virtiofsd is told of every request: docs/adr/0018-memory-barriers.md
    id: device.id,
    chardev: `${device.id}-char`,
    tag: device.tag,
    bus: device.rootPort,
  });
  return { id: device.id };
}
