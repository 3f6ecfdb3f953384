import { ERRORS } from "../errno.ts";
import { tryLibc } from "../libc.ts";

const O_RDONLY_CLOEXEC = 0o2000000;
const FULL: readonly number[] = [-ERRORS.EMFILE[0], -ERRORS.ENFILE[0]];

let spare: number | undefined;

/** To be called before a server listens: while there are descriptors. One spare does for all servers, and stays, as Node's. */
export function keepSpareDescriptor(): void {
  spare ??= openAny();
}

/**
 * Takes a connection for which the program has no descriptor, with the one that it has in reserve, and closes it. A connection that
 * stays where it is wakes the loop for ever.
 *
 * @param result what accept(2) said
 * @returns whether a connection was refused for want of descriptors
 */
export function refusedForWant(result: number, accept: () => number): boolean {
  if (!FULL.includes(result) || spare === undefined || spare < 0) return false;
  tryLibc("close", spare);
  const refused = accept();
  if (refused >= 0) tryLibc("close", refused);
  spare = openAny();
  return true;
}

function openAny(): number {
  return tryLibc("open", "/dev/null", O_RDONLY_CLOEXEC);
}
