import { KataError, reasonOf } from "../errors.ts";

/**
 * Gives each back, also where another one cannot be.
 *
 * @param taken those that were given back are taken out of it: another call tries the others again
 * @throws what the first one failed with
 */
export async function giveBackEach<T>(taken: T[], giveBack: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of taken.splice(0)) {
    try {
      await giveBack(item);
    } catch (error) {
      taken.push(item);
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** A VM's network was to be withdrawn, and was neither that nor given back. */
export function lostNetwork(error: unknown, cause: unknown): KataError {
  const why = `${reasonOf(error)}; and not all of it could be given back: ${reasonOf(cause)}`;
  const hint = cause instanceof KataError ? cause.hint : undefined;
  return new KataError("KATA_SNAPSHOT", `the VM's network could not be withdrawn: ${why}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
