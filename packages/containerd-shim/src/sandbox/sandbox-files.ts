import { readFileSync, writeFileSync } from "node:fs";
import { hostname as hostName } from "node:os";
import { join } from "node:path";
import type { SpecMount } from "@kata-ts/agent-protocol";
import { GUEST_SHM } from "@kata-ts/virtcontainers";
import type { runtime } from "#gen/containerd";

type PodSandboxConfig = runtime.v1.PodSandboxConfig;

const OPTIONS = ["rbind", "rprivate", "rw"];

/**
 * What all containers of a pod have in common beside their network, and containerd's CRI plugin leaves to the shim of a sandbox: it
 * makes these files itself where it makes a pause container, and mounts none of them otherwise.
 *
 * @param directory for the files; it goes with the sandbox
 * @returns mounts for each container that has none of its own there
 */
export function makeSandboxFiles(directory: string, { hostname, dns_config }: PodSandboxConfig): readonly SpecMount[] {
  const file = (name: string, content: string): SpecMount => {
    const source = join(directory, name);
    writeFileSync(source, content, { mode: 0o644 });
    return { destination: `/etc/${name}`, type: "bind", source, options: OPTIONS };
  };
  return [
    file("hostname", `${hostname === "" ? hostName() : hostname}\n`),
    file("hosts", ofHost("hosts")),
    file(
      "resolv.conf",
      dns_config === null || dns_config === undefined ? ofHost("resolv.conf") : resolvConf(dns_config),
    ),
    { destination: "/dev/shm", type: "bind", source: GUEST_SHM, options: OPTIONS },
  ];
}

function resolvConf({ servers = [], searches = [], options = [] }: runtime.v1.DNSConfig.$Properties): string {
  const named = (servers ?? []).map((server) => `nameserver ${server}`);
  const lines = [listed("search", searches ?? []), ...named, listed("options", options ?? [])];
  return lines.map((line) => (line === "" ? "" : `${line}\n`)).join("");
}

function listed(keyword: string, words: readonly string[]): string {
  return words.length === 0 ? "" : `${keyword} ${words.join(" ")}`;
}

/** A pod for which nothing else is said has what its host has. */
function ofHost(name: string): string {
  try {
    return readFileSync(`/etc/${name}`, "utf8");
  } catch {
    return "";
  }
}

/**
 * A container's mounts with those of its sandbox. A bind mount that it has at the place of one stays; a file system of its own there,
 * as containerd gives each container one at /dev/shm, makes room.
 */
export function withSandboxMounts(own: readonly SpecMount[], ofSandbox: readonly SpecMount[]): readonly SpecMount[] {
  const binds = new Set(own.filter(isBind).map(({ destination }) => destination));
  const added = ofSandbox.filter(({ destination }) => !binds.has(destination));
  const places = new Set(added.map(({ destination }) => destination));
  return [...own.filter(({ destination }) => !places.has(destination)), ...added];
}

function isBind({ type, options = [] }: SpecMount): boolean {
  return type === "bind" || options.includes("bind") || options.includes("rbind");
}
