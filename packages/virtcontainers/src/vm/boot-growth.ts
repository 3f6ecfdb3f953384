import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { count, object, parseShape, type Shape } from "@kata-ts/linux/shape";
import type { VmCapabilities } from "../ports/capabilities.ts";
import type { Vm, VmGrowth } from "../ports/hypervisor.ts";
import { requireCapability } from "./require-capability.ts";

const FILE = "boot-growth.json";
const NOTHING: VmGrowth = { vcpus: 0, memoryMiB: 0 };

const HINT = "raise vm.memoryMiB, or choose another vm.machine.type";

const growth: Shape<VmGrowth> = object<VmGrowth>({ vcpus: count, memoryMiB: count });

/** What has to be there at boot of what a VM is to have beyond its usual size, because its machine cannot take it later. */
export function growthAtBoot(
  { cpuHotplug, memoryHotplug }: VmCapabilities,
  { vcpus, memoryMiB }: VmGrowth = NOTHING,
): VmGrowth {
  return { vcpus: cpuHotplug ? 0 : vcpus, memoryMiB: memoryHotplug ? 0 : memoryMiB };
}

/** Written before the VM boots, for calls that ask it to grow. */
export async function recordBootGrowth(vmDirectory: string, atBoot: VmGrowth): Promise<void> {
  if (atBoot.vcpus === 0 && atBoot.memoryMiB === 0) return;
  await writeFile(join(vmDirectory, FILE), JSON.stringify(atBoot), { mode: 0o600 });
}

/**
 * What a running VM has to be asked for, to have this much more than its usual size. Of processors it takes as many as there is
 * room for. Where memory cannot be added, containers share what the machine has from its boot, and limits that add up to more
 * than all of it are refused.
 *
 * @param usualMiB what machines of its kind have at boot; @throws KataError KATA_UNSUPPORTED
 */
export async function missingGrowth(
  vm: Pick<Vm, "capabilities" | "state">,
  wanted: VmGrowth,
  usualMiB: number,
): Promise<VmGrowth> {
  const { cpuHotplug, memoryHotplug } = vm.capabilities;
  if (!memoryHotplug) {
    const hasMiB = usualMiB + (await readBootGrowth(vm.state.dir)).memoryMiB;
    const subject = `limits of ${String(wanted.memoryMiB)} MiB are more than the ${String(hasMiB)} MiB of the VM`;
    if (wanted.memoryMiB > hasMiB) requireCapability(vm, "memoryHotplug", subject, HINT);
  }
  return { vcpus: cpuHotplug ? wanted.vcpus : 0, memoryMiB: memoryHotplug ? wanted.memoryMiB : 0 };
}

/** A VM without the record has booted with its usual size. @throws SyntaxError, TypeError for a damaged record */
export async function readBootGrowth(vmDirectory: string): Promise<VmGrowth> {
  const path = join(vmDirectory, FILE);
  try {
    return parseShape(growth, await readFile(path, "utf8"), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return NOTHING;
    throw error;
  }
}
