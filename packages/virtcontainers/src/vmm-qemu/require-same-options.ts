import { readFile } from "node:fs/promises";
import { anyObjectAs, object, parseShape } from "@kata-ts/linux/shape";
import type { VmConfig } from "@kata-ts/qemu-driver";
import { KataError } from "../errors.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { Fingerprint } from "../ports/saved-vm.ts";
import { differencesOf } from "../snapshot/compare-fingerprints.ts";
import { readBootGrowth } from "../vm/boot-growth.ts";
import { vmDirectory } from "../vm/vm-directory.ts";
import { machineConfig, withoutNames } from "./machine-config.ts";
import type { QemuConfig } from "./qemu-config.ts";

interface Started {
  readonly machine: { readonly config: { readonly vm: VmConfig } };
}

/** Of what kata-proxy was given. */
const started = object<Started>({
  machine: object<Started["machine"]>({
    config: object<Started["machine"]["config"]>({ vm: anyObjectAs<VmConfig>() }),
  }),
});

/**
 * Checks that a configuration is the one that a VM was started with: what is saved is restored to a machine of the configuration. The VM of
 * this program has no other one.
 *
 * @throws KataError KATA_SNAPSHOT that names every difference
 */
export async function requireSameOptions({ dir, accelerator }: VmState, config: QemuConfig): Promise<void> {
  const { spec } = vmDirectory(dir);
  const text = await readFile(spec, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return;
  const { vm } = parseShape(started, text, spec).machine.config;
  const place = { name: "", directory: vmDirectory(dir), growth: await readBootGrowth(dir) };
  const differences = differencesOf(optionsOf(vm), optionsOf(machineConfig(config, accelerator, place)));
  if (differences === "") return;
  throw new KataError(
    "KATA_SNAPSHOT",
    `the configuration is not the one that the VM in ${dir} was started with: ${differences}`,
    { hint: "what is saved could not be restored with it: use the configuration of then" },
  );
}

function optionsOf(vm: VmConfig): Fingerprint {
  return Object.fromEntries(Object.entries(withoutNames(vm)).map(([name, value]) => [name, JSON.stringify(value)]));
}
