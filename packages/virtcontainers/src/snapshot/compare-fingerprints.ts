import { KataError } from "../errors.ts";
import type { Fingerprint } from "../ports/saved-vm.ts";

const SHOWN = 80;

/**
 * Checks that a VM of this host would be the machine that was saved, before anything is made.
 *
 * @throws KataError KATA_SNAPSHOT that names every difference
 */
export function requireSameMachine(path: string, saved: Fingerprint, here: Fingerprint): void {
  const differences = differencesOf(saved, here);
  if (differences === "") return;
  throw new KataError("KATA_SNAPSHOT", `the snapshot ${path} is of another machine: ${differences}`, {
    hint: "restore it with the QEMU, guest and configuration that it was saved with",
  });
}

/** Every difference by its name; empty where there is none. */
export function differencesOf(before: Fingerprint, here: Fingerprint): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(here)])].sort();
  return names
    .filter((name) => before[name] !== here[name])
    .map((name) => `${name} was ${shown(before[name])} and is ${shown(here[name])}`)
    .join("; ");
}

function shown(value = "absent"): string {
  return value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
}
