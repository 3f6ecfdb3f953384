import { type ContainerId, parseContainerId } from "@kata-ts/virtcontainers/records";
import { UsageError } from "../arguments/parse.ts";
import type { Context } from "../context.ts";
import { print } from "../output/print.ts";
import { failureOf } from "./failure.ts";

/**
 * Does something to each of the containers that a command names, and prints the names of those to which it was done. One that
 * fails keeps the others from nothing.
 *
 * @returns the exit status
 */
export async function eachContainer(
  verb: string,
  names: readonly string[],
  { log }: Context,
  body: (id: ContainerId) => Promise<void>,
): Promise<number> {
  if (names.length === 0) throw new UsageError(`"${verb}" requires at least 1 argument: a container`);
  let status = 0;
  for (const name of names) {
    try {
      await body(parseContainerId(name));
      print(`${name}\n`);
    } catch (error) {
      const failure = failureOf(error);
      log.warning(failure.message);
      status = failure.status;
    }
  }
  return status;
}
