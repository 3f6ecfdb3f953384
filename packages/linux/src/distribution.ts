import { readFileSync } from "node:fs";

/** A program of the host, or a group of them that one package has. */
export type HostProgram = "qemu" | "virtiofsd" | "setpriv" | "iproute2" | "iptables" | "nftables" | "cp" | "cni";

/** The distributions that share package names and a package manager. */
type Family = "debian" | "fedora" | "rhel" | "arch" | "alpine" | "suse";

/** What /etc/os-release says. */
export interface Distribution {
  /** For example `debian`; with those that it is made from, the nearest first. */
  readonly ids: readonly string[];
  /** Its major version; undefined for a rolling one. */
  readonly version: number | undefined;
}

const INSTALL: Readonly<Record<Family, string>> = {
  debian: "apt-get install",
  fedora: "dnf install",
  rhel: "dnf install",
  arch: "pacman -S",
  alpine: "apk add",
  suse: "zypper install",
};

const FAMILIES: Readonly<Record<string, Family>> = {
  ...{ debian: "debian", ubuntu: "debian", fedora: "fedora", rhel: "rhel", centos: "rhel" },
  ...{ arch: "arch", alpine: "alpine", suse: "suse", opensuse: "suse" },
};

/** Packages by family; `other` says what to look for elsewhere. */
const PACKAGES: Readonly<Record<HostProgram, Readonly<Record<Family | "other", string>>>> = {
  qemu: {
    ...{ debian: "qemu-system-x86", fedora: "qemu-system-x86-core", rhel: "qemu-kvm", arch: "qemu-system-x86" },
    ...{ alpine: "qemu-system-x86_64", suse: "qemu-x86", other: "QEMU for x86_64, the program qemu-system-x86_64" },
  },
  virtiofsd: { ...everywhere("virtiofsd"), other: "virtiofsd, the virtio-fs daemon" },
  setpriv: { ...everywhere("util-linux"), alpine: "setpriv", other: "util-linux, the program setpriv" },
  iproute2: {
    ...everywhere("iproute2"),
    ...{ fedora: "iproute iproute-tc", rhel: "iproute iproute-tc", other: "iproute2, the programs ip and tc" },
  },
  iptables: { ...everywhere("iptables"), fedora: "iptables-nft", rhel: "iptables-nft", other: "iptables or nftables" },
  nftables: { ...everywhere("nftables"), other: "nftables, the program nft" },
  cp: { ...everywhere("coreutils"), other: "GNU coreutils, the program cp" },
  cni: {
    ...everywhere("containernetworking-plugins"),
    ...{ arch: "cni-plugins", alpine: "cni-plugins", suse: "cni-plugins", other: "CNI's plugins" },
  },
};

function everywhere(name: string): Readonly<Record<Family, string>> {
  return { debian: name, fedora: name, rhel: name, arch: name, alpine: name, suse: name };
}

/** How to get a program here: `apt-get install iproute2`, or, on an unknown distribution, what to look for. */
export function howToInstall(program: HostProgram, distribution: Distribution = thisDistribution()): string {
  const family = distribution.ids.map((id) => FAMILIES[id]).find((each) => each !== undefined);
  if (family === undefined) return `install ${PACKAGES[program].other}`;
  const isInQemu = program === "virtiofsd" && hasVirtiofsdInQemu(distribution);
  return `${INSTALL[family]} ${isInQemu ? "qemu-system-common" : PACKAGES[program][family]}`;
}

/** Up to Debian 12 and Ubuntu 22 it is QEMU's own, in C. */
function hasVirtiofsdInQemu({ ids: [id], version = Number.POSITIVE_INFINITY }: Distribution): boolean {
  return (id === "debian" && version <= 12) || (id === "ubuntu" && version <= 22);
}

/** This machine's, by the file that all distributions have; without it nothing is known. */
export function thisDistribution(file = "/etc/os-release"): Distribution {
  try {
    return parseOsRelease(readFileSync(file, "utf8"));
  } catch {
    return { ids: [], version: undefined };
  }
}

/** Reads the shell assignments of os-release(5). */
export function parseOsRelease(text: string): Distribution {
  const field = (name: string): string => new RegExp(`^${name}=["']?([^"'\n]*)`, "m").exec(text)?.[1] ?? "";
  const version = Number.parseInt(field("VERSION_ID"), 10);
  const ids = [field("ID"), ...field("ID_LIKE").split(/\s+/)].filter((id) => id !== "");
  return { ids, version: Number.isNaN(version) ? undefined : version };
}
