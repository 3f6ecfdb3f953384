import { nodeError } from "./errors.ts";

/**
 * An option that is not known would be ignored in silence: a program would listen, connect or wait in another way than it was to.
 *
 * @param known those that are here, and those that change nothing here
 * @throws Error ERR_FEATURE_UNAVAILABLE_ON_PLATFORM for an option that says something and is not here
 */
export function refuseOthers(call: string, options: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined || value === null || value === false || known.includes(name)) continue;
    const message = `${call}: the option "${name}" is not available on this engine`;
    throw nodeError("ERR_FEATURE_UNAVAILABLE_ON_PLATFORM", message);
  }
}
