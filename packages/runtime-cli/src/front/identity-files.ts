import { lstatSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SpecMount } from "@kata-ts/agent-protocol";
import type { AddedHost } from "./names.ts";

export interface IdentityOptions {
  /** The directory that the files are made in. */
  readonly bundle: string;
  readonly rootfs: string;
  /** The root file system is the container's own: what is mounted over may be made in it. */
  readonly isOwn: boolean;
  /** The content of its /etc/resolv.conf; undefined: that of its root file system. */
  readonly resolvConf: string | undefined;
  /** Its own in its network, where it is known: its name leads there. */
  readonly address: string | undefined;
  /** Its own name. */
  readonly hostname: string;
  /** Lines of its /etc/hosts beside. */
  readonly hosts: readonly AddedHost[];
}

/**
 * /etc/hosts, /etc/hostname and /etc/resolv.conf, by which a container knows itself, `localhost` and its name servers.
 * In a directory of the user's they go only over files that are there: it is left as it is.
 */
export function identityFiles(options: IdentityOptions): SpecMount[] {
  const { bundle, rootfs, isOwn, resolvConf, address = "127.0.1.1", hostname, hosts } = options;
  const added = hosts.map(({ name, address }) => `${address}\t${name}\n`).join("");
  const contents: Record<string, string | undefined> = {
    hosts: `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${address}\t${hostname}\n${added}`,
    hostname: `${hostname}\n`,
    "resolv.conf": resolvConf,
  };
  return Object.entries(contents).flatMap(([name, content]) => {
    const destination = `/etc/${name}`;
    if (content === undefined || !(isOwn || isFile(join(rootfs, destination)))) return [];
    const source = join(bundle, name);
    writeFileSync(source, content, { mode: 0o644 });
    return [{ source, destination, type: "bind", options: ["bind", "rw"] }];
  });
}

/** Not a link, which may lead anywhere on this machine. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
