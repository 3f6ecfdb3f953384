import { lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { VmConfig } from "../vm-config.ts";

/** What of the host is in a confined QEMU's root directory: paths, under which it finds the same as on the host. */
export interface HostTrees {
  /** Files and directories that it reads, with what is below them. */
  readonly readable: readonly string[];
  /** Directories that it makes files in. */
  readonly writable: readonly string[];
  /** Links of the host's root directory, with where they lead. */
  readonly links: readonly (readonly [path: string, target: string])[];
  /** Devices, as nodes of its own. */
  readonly devices: readonly string[];
}

/** Programs and libraries; on NixOS and Guix they are elsewhere. No secret is kept there: every user can read them. */
const SYSTEM = ["/usr", "/nix/store", "/gnu/store"];
/** On most hosts these are links to what is in /usr. */
const BESIDE_USR = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/** What the loader of glibc, or musl's, looks at. */
const LOADER = ["/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/alternatives"];
const DEVICES = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"];
/** Beside a QEMU that was not installed by the distribution. */
const OF_QEMU = ["lib", "lib64", "share/qemu", "share/qemu-kvm", "share/seabios", "share/qemu-firmware"];

/** What a machine needs of the host to be started. */
export function hostTrees(vm: VmConfig): HostTrees {
  const system = SYSTEM.filter(exists);
  const { links, directories } = rootDirectory();
  const own = [...programFiles(vm.qemuPath), ...guestFiles(vm)];
  const covered = (path: string): boolean => system.some((tree) => path.startsWith(`${tree}/`));
  const entropy = vm.machine?.entropySource;
  const accelerator = vm.accelerator === "kvm" ? ["/dev/kvm"] : [];
  const entropyDevice = entropy !== undefined && isDevice(entropy) ? [entropy] : [];
  const entropyFile = entropy !== undefined && !isDevice(entropy) ? [entropy] : [];
  return {
    readable: [
      ...[...system, ...directories, ...LOADER.filter(exists)],
      ...new Set([...own, ...entropyFile].filter((path) => !covered(path))),
    ],
    writable: vm.memory?.directory === undefined ? [] : [vm.memory.directory],
    links,
    devices: [...new Set([...DEVICES, ...accelerator, ...entropyDevice])].filter(exists),
  };
}

function guestFiles({ kernelPath, initrdPath, imagePath, firmwarePath, memoryImage }: VmConfig): string[] {
  return [kernelPath, initrdPath, imagePath, firmwarePath, memoryImage].filter((path) => path !== undefined);
}

function programFiles(qemu: string): string[] {
  const directory = dirname(qemu);
  const isInstalled = ["bin", "libexec"].includes(basename(directory));
  const beside = isInstalled ? OF_QEMU.map((name) => join(dirname(directory), name)) : [];
  return [qemu, ...beside.filter(exists)];
}

function rootDirectory(): { readonly links: [string, string][]; readonly directories: string[] } {
  const links: [string, string][] = [];
  const directories: string[] = [];
  for (const path of BESIDE_USR) {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    if (entry?.isSymbolicLink() === true) links.push([path, readlinkSync(path)]);
    else if (entry?.isDirectory() === true) directories.push(path);
  }
  return { links, directories };
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isDevice(path: string): boolean {
  return statSync(realpathSync(path)).isCharacterDevice();
}
