import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SpecMount } from "@kata-ts/agent-protocol";
import { reachableResolvers } from "./network.ts";

export interface IdentityOptions {
  readonly id: string;
  /** The directory that the files are made in. */
  readonly bundle: string;
  readonly rootfs: string;
  /** The root file system is the container's own: what is mounted over may be made in it. */
  readonly isOwn: boolean;
  readonly hasNetwork: boolean;
}

/**
 * /etc/hosts, /etc/hostname and /etc/resolv.conf, by which a container knows itself, `localhost` and the host's name servers.
 * In a directory of the user's they go only over files that are there: it is left as it is.
 */
export function identityFiles({ id, bundle, rootfs, isOwn, hasNetwork }: IdentityOptions): SpecMount[] {
  const contents: Record<string, string | undefined> = {
    hosts: `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t${id}\n`,
    hostname: `${id}\n`,
    "resolv.conf": hasNetwork && existsSync("/etc/resolv.conf") ? reachable() : undefined,
  };
  return Object.entries(contents).flatMap(([name, content]) => {
    const destination = `/etc/${name}`;
    if (content === undefined || !(isOwn || isFile(join(rootfs, destination)))) return [];
    const source = join(bundle, name);
    writeFileSync(source, content, { mode: 0o644 });
    return [{ source, destination, type: "bind", options: ["bind", "rw"] }];
  });
}

function reachable(): string | undefined {
  return reachableResolvers(readFileSync("/etc/resolv.conf", "utf8"));
}

/** Not a link, which may lead anywhere on this machine. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
