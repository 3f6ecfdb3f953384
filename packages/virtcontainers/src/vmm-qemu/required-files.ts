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
    ["guest kernel", config.kernelPath, "run `npm start` once, or set `kernel` in configuration.toml"],
    ["guest image", config.imagePath, "run `npm start` once, or set `image` in configuration.toml"],
    ...(config.firmwarePath === undefined
      ? []
      : ([["firmware", config.firmwarePath, "see `firmware` in configuration.toml"]] as const)),
    ...(config.memory?.directory === undefined
      ? []
      : ([
          ["directory for guest memory", config.memory.directory, "see `file_mem_backend` in configuration.toml"],
        ] as const)),
    ...(config.machine?.entropySource === undefined
      ? []
      : ([["source of entropy", config.machine.entropySource, "see `entropy_source` in configuration.toml"]] as const)),
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
    hint: `chmod 1777 ${directory}, as /dev/shm is (\`file_mem_backend\`)`,
  });
}
