/** A distribution's release that is a host in the laboratory. */
export type HostSuite = "bookworm" | "trixie";

export const HOST_SUITES: readonly HostSuite[] = ["bookworm", "trixie"];

const BOOT = ["systemd", "systemd-sysv", "udev", "dbus", "kmod", "linux-image-amd64", "initramfs-tools", "zstd"];
const RUNTIME = ["qemu-system-x86", "qemu-system-common", "libatomic1", "busybox-static"];
const TOOLS = [
  ...["iproute2", "iptables", "nftables", "procps", "pciutils", "util-linux", "e2fsprogs", "iputils-ping", "socat"],
  ...["python3-minimal", "ca-certificates", "strace"],
];
const ENGINES = ["docker.io", "containerd", "runc", "podman", "crun", "conmon", "netavark", "aardvark-dns"];
const SYSTEM = ["apparmor", "uidmap", "dbus-user-session", "libpam-systemd", "sudo"];

const COMMON: readonly string[] = [...BOOT, ...RUNTIME, ...TOOLS, ...ENGINES, ...SYSTEM];

/** What each has in packages of its own. */
const OWN: Readonly<Record<HostSuite, readonly string[]>> = {
  bookworm: [],
  trixie: ["virtiofsd", "docker-cli", "seabios"],
};

/** The packages of a host: what kata-ts needs, engines, and the tools of the tests. */
export function packagesOf(suite: HostSuite): readonly string[] {
  return [...COMMON, ...OWN[suite]];
}

/** The release that the tests of this run have as their host: `KATA_LAB_SUITE`. */
export function labSuite(): HostSuite {
  return HOST_SUITES.find((suite) => suite === process.env.KATA_LAB_SUITE) ?? "bookworm";
}
