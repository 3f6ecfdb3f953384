import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { bootId } from "@kata-ts/linux";
import type { VmConfig } from "@kata-ts/qemu-driver";

/** Changes when templates are made in another way than before. */
const FORMAT = 2;

/** A machine without what differs between its clones. */
export function withoutNames(vm: VmConfig): VmConfig {
  const share = vm.share9p === undefined ? {} : { share9p: { ...vm.share9p, path: "" } };
  return { ...vm, ...share, name: "", qmpSocket: "", agentSocket: "" };
}

/**
 * Names what a template holds: the machine, and the very files that it was made of. A kernel, an image (with its agent)
 * or a QEMU that was replaced or written to has another name; so has everything after the host was booted again.
 *
 * @throws Error ENOENT when a file is missing
 */
export async function templateKey(vm: VmConfig): Promise<string> {
  const { qemuPath, kernelPath, imagePath, initrdPath, firmwarePath } = vm;
  const paths = [qemuPath, kernelPath, imagePath, initrdPath, firmwarePath].filter((path) => path !== undefined);
  const files = await Promise.all(paths.map(identityOf));
  const content = JSON.stringify([FORMAT, bootId(), withoutNames(vm), files]);
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}

/** Reading hundreds of megabytes would take longer than a clone: no content changes without a change of these. */
async function identityOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
