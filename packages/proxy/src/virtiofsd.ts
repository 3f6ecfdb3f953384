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
  /** What it holds for its guest is to be saved: it keeps a descriptor for each file that the guest knows, by which those are found that were removed. */
  readonly savable?: boolean;
  /** Appended as they are, and so win over ours. */
  readonly extraArguments?: readonly string[];
}

/** virtiofsd's arguments. Its own sandbox (mount, pid and network namespaces, seccomp) stays on. */
export function virtiofsdArgv(config: VirtiofsdConfig): string[] {
  const { extraArguments = [] } = config;
  const socket = config.listenFd === undefined ? `--socket-path=${config.socket}` : `--fd=${String(config.listenFd)}`;
  const options = config.kind === "c" ? optionsOfC(config) : optionsOfRust(config);
  const asked = extraArguments.some((argument) => argument.includes("modcaps="));
  return [socket, ...options, ...(asked ? [] : capabilitiesOf(config.kind)), ...extraArguments];
}

/**
 * What it keeps by itself serves files of all owners: chown, dac_override, fowner, fsetid, setfcap, setuid, setgid, and
 * dac_read_search for the handles of files. A device's node on the host is of no use to a guest, which opens devices of its
 * own kernel by it; to a daemon that has been taken over it is the host's disk.
 */
function capabilitiesOf(kind: VirtiofsdKind): string[] {
  return kind === "c" ? ["-o", "modcaps=-mknod"] : ["--modcaps=-mknod"];
}

function optionsOfC({ source, cache }: VirtiofsdConfig): string[] {
  return ["-o", `source=${escaped(source)},cache=${cache},sandbox=namespace,xattr,announce_submounts`];
}

/**
 * With file handles it keeps no descriptor for a file that the guest has merely looked up, where the file system has
 * handles: the host's limit of open files is no limit of how many files a guest may see. What it reports as information
 * would be taken for the reason of its end.
 */
function optionsOfRust({ source, cache, savable = false }: VirtiofsdConfig): string[] {
  const caching = cache === "none" ? "never" : cache;
  const share = [`--shared-dir=${source}`, `--cache=${caching}`, "--sandbox=namespace", "--posix-acl"];
  const handles = `--inode-file-handles=${savable ? "never" : "prefer"}`;
  return [...share, "--announce-submounts", handles, "--log-level=error"];
}

/** Its options are split at commas. */
function escaped(value: string): string {
  return value.replace(/[\\,]/g, "\\$&");
}
