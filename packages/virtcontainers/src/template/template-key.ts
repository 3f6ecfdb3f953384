import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { bootId } from "@kata-ts/linux";
import type { MachineIdentity } from "../ports/vmm.ts";

/** Changes when templates are made in another way than before. */
const FORMAT = 3;

/**
 * Names what a template holds: the machine, and the very files that it was made of. A kernel, an image (with its agent)
 * or a monitor that was replaced or written to has another name; so has everything after the host was booted again.
 *
 * @throws Error ENOENT when a file is missing
 */
export async function templateKey({ machine, files: paths }: MachineIdentity): Promise<string> {
  const files = await Promise.all(paths.map(identityOf));
  const content = JSON.stringify([FORMAT, bootId(), machine, files]);
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}

/** Reading hundreds of megabytes would take longer than a clone: no content changes without a change of these. */
async function identityOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
