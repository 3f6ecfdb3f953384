import { KataError } from "../errors.ts";
import type { Fingerprint } from "../ports/saved-vm.ts";

const SHOWN = 80;

/**
 * Checks that a VM of this host would be the machine that was saved, before anything is made.
 *
 * @throws KataError KATA_SNAPSHOT that names every difference
 */
export function requireSameMachine(path: string, saved: Fingerprint, here: Fingerprint): void {
  const names = [...new Set([...Object.keys(saved), ...Object.keys(here)])].sort();
  const differences = names
    .filter((name) => saved[name] !== here[name])
    .map((name) => `${name} was ${shown(saved[name])} and is ${shown(here[name])}`);
  if (differences.length === 0) return;
  throw new KataError("KATA_SNAPSHOT", `the snapshot ${path} is of another machine: ${differences.join("; ")}`, {
    hint: "restore it with the QEMU, guest and configuration that it was saved with",
  });
}

function shown(value = "absent"): string {
  return value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
}
