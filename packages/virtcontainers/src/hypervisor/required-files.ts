import { existsSync } from "node:fs";
import { howToInstall } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { QemuConfig } from "./qemu-config.ts";

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
}
