import { type ContainerId, parseContainerId } from "@kata-ts/virtcontainers/records";
import { UsageError } from "../arguments/parse.ts";

/** The one container id that a verb takes. @throws UsageError, KataError */
export function onlyId(verb: string, words: readonly string[]): ContainerId {
  if (words.length !== 1) throw new UsageError(`"${verb}" requires exactly 1 argument: a container id`);
  return parseContainerId(words[0] ?? "");
}

/** The container ids of a verb that takes one or more. */
export function someIds(verb: string, words: readonly string[]): ContainerId[] {
  if (words.length === 0) throw new UsageError(`"${verb}" requires at least 1 argument: a container id`);
  return words.map(parseContainerId);
}
