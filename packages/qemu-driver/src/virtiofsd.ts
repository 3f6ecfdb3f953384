import { closeSync } from "node:fs";
import { connectUnix } from "@kata-ts/linux";
import { option } from "./option.ts";
import type { QmpClient } from "./qmp/client.ts";
import type { VirtiofsdKind } from "./virtiofsd-kind.ts";

/** The daemon that serves a host directory to a guest over virtio-fs. */
export interface VirtiofsdConfig {
  /** Absolute path of virtiofsd. */
  readonly path: string;
  /** As it says of itself: see virtiofsdVersion. */
  readonly kind: VirtiofsdKind;
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
  const socket = config.listenFd === undefined ? `--socket-path=${config.socket}` : `--fd=${String(config.listenFd)}`;
  const options = config.kind === "c" ? optionsOfC(config) : optionsOfRust(config);
  return [socket, ...options, ...(config.extraArguments ?? [])];
}

function optionsOfC({ source, cache }: VirtiofsdConfig): string[] {
  return ["-o", `${option("", { source, cache, sandbox: "namespace" })},xattr,announce_submounts`];
}

/**
 * With file handles it keeps no descriptor for a file that the guest has merely looked up, where the file system has
 * handles: the host's limit of open files is no limit of how many files a guest may see. What it reports as information
 * would be taken for the reason of its end.
 */
function optionsOfRust({ source, cache }: VirtiofsdConfig): string[] {
  const caching = cache === "none" ? "never" : cache;
  const share = [`--shared-dir=${source}`, `--cache=${caching}`, "--sandbox=namespace", "--posix-acl"];
  return [...share, "--announce-submounts", "--inode-file-handles=prefer", "--log-level=error"];
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
  await connectFor(qmp, device);
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

/** QEMU does not see the socket's path: it is given a connection. */
async function connectFor(
  qmp: QmpClient,
  { id, socket }: { readonly id: string; readonly socket: string },
): Promise<void> {
  const fdname = `${id}-socket`;
  const descriptor = connectUnix(socket);
  try {
    await qmp.execute("getfd", { fdname }, { descriptor });
  } finally {
    closeSync(descriptor);
  }
  const backend = { type: "socket", data: { addr: { type: "fd", data: { str: fdname } }, server: false } };
  await qmp.execute("chardev-add", { id: `${id}-char`, backend });
}
