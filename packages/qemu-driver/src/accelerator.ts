import { closeSync, constants, openSync } from "node:fs";
import type { AcceleratorChoice, AcceleratorProbe } from "./accelerator-choice.ts";
import { KvmVerdicts } from "./kvm-verdicts.ts";

/**
 * KVM only where a guest really boots under it: a readable /dev/kvm is not proof. A slow guest is waited for as long as it
 * makes progress: a busy host, or a host that is a virtual machine, does not lose KVM for it. Never throws: the
 * fallback is TCG.
 */
export async function chooseAccelerator(probe: AcceleratorProbe): Promise<AcceleratorChoice> {
  const unusable = kvmUnusable(probe.kvmDevice ?? "/dev/kvm");
  if (unusable !== undefined) return { accelerator: "tcg", reason: unusable };
  const verdicts = new KvmVerdicts(probe);
  const known = probe.fresh === true ? undefined : await verdicts.find();
  if (known !== undefined) return known;
  const { tryKvm } = await import("./kvm-trial.ts"); // The answer is known, as a rule.
  const { isFinal, ...choice } = await tryKvm(probe);
  if (isFinal) await verdicts.remember(choice);
  else await verdicts.forget();
  return choice;
}

/**
 * What became of a guest under KVM counts more than any trial: one that ran makes KVM the choice, one that did not come up
 * has it tried anew. Never throws.
 */
export async function noteKvmGuest(probe: AcceleratorProbe, cameUp: boolean): Promise<void> {
  const verdicts = new KvmVerdicts(probe);
  const isKnownToWork = (await verdicts.find())?.accelerator === "kvm";
  if (cameUp && !isKnownToWork) await verdicts.remember({ accelerator: "kvm", reason: "a guest has run under KVM" });
  if (!cameUp && isKnownToWork) await verdicts.forget();
}

function kvmUnusable(device: string): string | undefined {
  try {
    closeSync(openSync(device, constants.O_RDWR));
    return undefined;
  } catch (error) {
    return `${device} cannot be opened (${String((error as NodeJS.ErrnoException).code)})`;
  }
}
