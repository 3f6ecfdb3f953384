import type { SpecProcess } from "@kata-ts/agent-protocol";
import { UsageError } from "../arguments/parse.ts";
import { MAX_ID } from "../verbs/exec-process.ts";

interface ProcessOfUser {
  readonly process: SpecProcess;
  /** What the guest has to look up: names, and the groups of a user without one. The container may have changed them. */
  readonly user: string | undefined;
}

/**
 * What `--user` names: `USER[:GROUP]`, each a name or a number.
 *
 * @throws UsageError for numbers that no user and no group of Linux has
 */
export function parseUser(text: string | undefined): string | undefined {
  if (text?.split(":").some((part) => /^\d+$/.test(part) && Number(part) > MAX_ID) === true) {
    throw new UsageError(`--user takes numbers up to ${String(MAX_ID)}, not "${text}"`);
  }
  return text;
}

/**
 * A process beside a container's own that runs as another user, who is in no group of the container's own user.
 *
 * @param text `USER[:GROUP]`, each a name or a number that was checked; undefined: the process keeps its user
 */
export function asUser(process: SpecProcess, text: string | undefined): ProcessOfUser {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(text ?? "") ?? [];
  if (uid === undefined) return { process, user: text };
  return { process: { ...process, user: { uid: Number(uid), gid: Number(gid) } }, user: undefined };
}
