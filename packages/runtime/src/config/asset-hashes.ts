import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { KataError, type QemuConfig, reasonOf } from "@kata-ts/virtcontainers";

const PREFIX = "io.katacontainers.config.hypervisor.";
const TYPE = "io.katacontainers.asset_hash_type";
const ALGORITHM = "sha512";

/** Kata's names, and the files of a VM that they are about; other hypervisors have more. */
const ASSETS = {
  kernel_hash: "kernelPath",
  image_hash: "imagePath",
  initrd_hash: "initrdPath",
  hypervisor_hash: "qemuPath",
  firmware_hash: "firmwarePath",
} as const satisfies Readonly<Record<string, keyof QemuConfig>>;

const OF_OTHER_HYPERVISORS: readonly string[] = ["hypervisorctl_hash", "jailer_hash"];

/** Whether an annotation names the hash of a file. */
export function isAssetHash(annotation: string): boolean {
  const name = annotation.slice(PREFIX.length);
  return annotation.startsWith(PREFIX) && (Object.hasOwn(ASSETS, name) || OF_OTHER_HYPERVISORS.includes(name));
}

/**
 * Checks the files that a VM is to be made of against the hashes in a sandbox's annotations. They need no permission: all
 * that they can do is to refuse.
 *
 * @throws KataError KATA_ANNOTATION
 */
export async function checkAssetHashes(
  config: QemuConfig,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  const wanted = Object.entries(annotations).filter(([annotation]) => isAssetHash(annotation));
  const type = annotations[TYPE] ?? ALGORITHM;
  if (type !== ALGORITHM) {
    throw new KataError("KATA_ANNOTATION", `annotation ${TYPE}: ${JSON.stringify(type)} is not supported`, {
      hint: `hashes of a VM's files are ${ALGORITHM}`,
    });
  }
  for (const [annotation, hash] of wanted) {
    const asset = ASSETS[annotation.slice(PREFIX.length) as keyof typeof ASSETS] as keyof QemuConfig | undefined;
    const path = asset === undefined ? undefined : config[asset];
    if (typeof path === "string" && (await hashOf(path, annotation)) === hash.toLowerCase()) continue;
    const what = typeof path === "string" ? `${path} has another ${ALGORITHM} hash` : "the VM has no such file";
    throw new KataError("KATA_ANNOTATION", `annotation ${annotation}: ${what}`, {
      hint: "the sandbox asks for a certain file: install that one, or change the annotation",
    });
  }
}

async function hashOf(path: string, annotation: string): Promise<string> {
  const hash = createHash(ALGORITHM);
  try {
    // By update: a hash of packages/quickjs is no stream.
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (error) {
    throw new KataError("KATA_ANNOTATION", `annotation ${annotation}: ${reasonOf(error)}`, { cause: error });
  }
  return hash.digest("hex");
}
