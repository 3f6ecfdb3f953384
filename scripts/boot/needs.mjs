// What the scripts need of the distribution. A need is met by a file: a program in one of the usual directories of
// programs, or one of some paths. Its packages are alternatives, because a suite renames or splits them: the first that
// the package index knows is installed.
import { existsSync, readFileSync } from "node:fs";

const PROGRAM_DIRECTORIES = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];

const program = (name, ...packages) => ({
  what: `the program ${name}`,
  packages,
  isMet: () => PROGRAM_DIRECTORIES.some((directory) => existsSync(`${directory}/${name}`)),
});
const file = (what, paths, ...packages) => ({ what, packages, isMet: () => paths.some((path) => existsSync(path)) });

/** Whether an ELF program names no dynamic linker: it runs in a root file system that has nothing else. */
function isStatic(path) {
  if (!existsSync(path)) return false;
  const elf = readFileSync(path);
  const [start, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  const PT_INTERP = 3;
  return !Array.from({ length: count }, (_, index) => elf.readUInt32LE(start + index * size)).includes(PT_INTERP);
}

/** To build, and to run a container. */
export const BUILD_NEEDS = [
  program("qemu-system-x86_64", "qemu-system-x86"),
  file("libatomic.so.1, which Node needs", ["/usr/lib/x86_64-linux-gnu/libatomic.so.1"], "libatomic1"),
  program("git", "git"),
  program("mke2fs", "e2fsprogs"),
  program("cpio", "cpio"),
  program("tc", "iproute2"),
  program("nft", "nftables"),
  { what: "busybox without libraries", packages: ["busybox-static"], isMet: () => isStatic("/bin/busybox") },
];

/** What the tests use beside that. */
export const TEST_NEEDS = [
  // Containers have the one that is built in. Debian 12 and Ubuntu 22.04 have QEMU's own, in C; later ones package the one in Rust.
  file(
    "virtiofsd",
    ["/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd", "/usr/bin/virtiofsd"],
    "virtiofsd",
    "qemu-system-common",
  ),
  program("runc", "runc"),
  program("umoci", "umoci"),
  program("openssl", "openssl"),
  program("python3", "python3"),
  program("sysctl", "procps"),
  file("CNI's plugins", ["/usr/lib/cni/bridge", "/opt/cni/bin/bridge"], "containernetworking-plugins"),
  program("iptables", "iptables"),
  program("containerd", "containerd"),
  program("dockerd", "docker.io"),
  program("docker", "docker-cli", "docker.io"),
  program("podman", "podman"),
  program("criu", "criu"), // which podman asks for its version before a checkpoint
  program("skopeo", "skopeo"),
  program("conmon", "conmon"),
  file("netavark", ["/usr/lib/podman/netavark"], "netavark"),
  file("aardvark-dns", ["/usr/lib/podman/aardvark-dns"], "aardvark-dns"),
  program("zsh", "zsh"),
  program("fish", "fish"),
  program("mmdebstrap", "mmdebstrap"), // hosts of the laboratory
  program("zstd", "zstd"),
];

/** What making hosts of other releases uses beside that. */
export const HOST_NEEDS = [
  program("mmdebstrap", "mmdebstrap"),
  file("the keys of Debian's archive", ["/usr/share/keyrings/debian-archive-keyring.gpg"], "debian-archive-keyring"),
];
