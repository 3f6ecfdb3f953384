import type { SpecProcess } from "@kata-ts/agent-protocol";
import { UsageError } from "../arguments/parse.ts";
import { MAX_ID } from "../verbs/exec-process.ts";

interface ProcessOfUser {
  readonly process: SpecProcess;
  /** What the guest has to look up: names, and the groups of a user without one. The container may have changed them. */
  readonly user: string | undefined;
}

/**
 * A process beside a container's own that runs as another user, who is in no group of the container's own user.
 *
 * @param text `USER[:GROUP]`, each a name or a number; undefined: the process keeps its user
 * @throws UsageError for numbers that no user and no group of Linux has
 */
export function asUser(process: SpecProcess, text: string | undefined): ProcessOfUser {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(text ?? "") ?? [];
  if (uid === undefined) return { process, user: text };
  if (Number(uid) > MAX_ID || Number(gid) > MAX_ID) {
    throw new UsageError(`--user takes numbers up to ${String(MAX_ID)}, not "${text ?? ""}"`);
  }
  return { process: { ...process, user: { uid: Number(uid), gid: Number(gid) } }, user: undefined };
}
