import { existsSync, statSync } from "node:fs";
import { howToInstall } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { QemuConfig } from "./qemu-config.ts";

const READABLE_BY_OTHERS = 0o004;
const WRITABLE_BY_OTHERS = 0o003;

/** QEMU's own message for a missing file comes after a boot was attempted, and names no remedy. @throws KataError */
export function requireFiles(config: QemuConfig): void {
  const wanted: readonly (readonly [string, string, string])[] = [
    ["QEMU", config.qemuPath, howToInstall("qemu")],
    ["guest kernel", config.kernelPath, "name one that is there: vm.kernelPath"],
    ["guest image", config.imagePath, "name one that is there: vm.imagePath"],
    ...(config.firmwarePath === undefined
      ? []
      : ([["firmware", config.firmwarePath, "name one that is there: vm.firmwarePath"]] as const)),
    ...(config.memory?.directory === undefined
      ? []
      : ([
          ["directory for guest memory", config.memory.directory, "name one that is there: vm.memory.directory"],
        ] as const)),
    ...(config.machine?.entropySource === undefined
      ? []
      : ([
          ["source of entropy", config.machine.entropySource, "name one that is there: vm.machine.entropySource"],
        ] as const)),
    ...(config.sharedFs === "virtio-fs"
      ? ([["virtiofsd", config.virtiofsdPath, howToInstall("virtiofsd")]] as const)
      : []),
  ];
  for (const [what, path, hint] of wanted) {
    if (!existsSync(path)) throw new KataError("KATA_CONFIG", `${what} not found at ${path}`, { hint });
  }
  requireReadable(config);
}

/** A confined QEMU has no right to what is root's alone. @throws KataError */
function requireReadable({ confinement, sharedFs, memory, ...paths }: QemuConfig): void {
  if (confinement === false || sharedFs === "virtio-9p") return;
  const { qemuPath, kernelPath, initrdPath, imagePath, firmwarePath } = paths;
  for (const path of [qemuPath, kernelPath, initrdPath, imagePath, firmwarePath]) {
    if (path === undefined || (statSync(path).mode & READABLE_BY_OTHERS) !== 0) continue;
    throw new KataError("KATA_CONFIG", `${path} is not readable by the user that QEMU runs as`, {
      hint: `chmod o+r ${path}, or a copy that all can read`,
    });
  }
  const directory = memory?.directory;
  if (directory === undefined || (statSync(directory).mode & WRITABLE_BY_OTHERS) === WRITABLE_BY_OTHERS) return;
  throw new KataError("KATA_CONFIG", `${directory} is not writable by the user that QEMU runs as`, {
    hint: `chmod 1777 ${directory}, as /dev/shm is (vm.memory.directory)`,
  });
}
