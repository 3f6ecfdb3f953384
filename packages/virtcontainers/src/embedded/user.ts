import type { SpecUser } from "@kata-ts/agent-protocol";

/** `{ uid, gid }`, or by the container's own files as `USER` or `USER:GROUP`, each a name or a number. */
export type UserOption = SpecUser | string;

/** The numbers of a user; undefined for one that only the guest can look up. */
export function numbersOf(user: UserOption): SpecUser | undefined {
  if (typeof user !== "string") return user;
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(user) ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** What the guest is to look up; undefined where there is nothing to. */
export function lookedUp(user: UserOption | undefined): string | undefined {
  return typeof user === "string" && numbersOf(user) === undefined ? user : undefined;
}
