import { call } from "./native.ts";

const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;
const CAP_KILL = 5;
const CAPABILITY_VERSION_3 = 0x2008_0522;

/**
 * Makes this process a user without groups, for good. Where it was root, all its threads lose every capability: libc changes
 * the ids of all of them, as POSIX asks, while capset(2) changes one thread alone. Files that it has opened stay open.
 *
 * @param id as user and as group; above 0
 */
export function becomeUser(id: number): void {
  if (id <= 0) throw new RangeError(`${String(id)} is no unprivileged user`);
  const what = `user ${String(id)}`;
  call("int setgroups(size_t count, const void *groups)", what, 0, null);
  call("int setresgid(unsigned int real, unsigned int effective, unsigned int saved)", what, id, id, id);
  call("int setresuid(unsigned int real, unsigned int effective, unsigned int saved)", what, id, id, id);
}

/**
 * As becomeUser(), but the calling thread alone keeps one capability: to send signals to other users' processes. The kernel asks
 * for it when the thread dies, too, before it sends the parent-death signal of a child that is another user.
 */
export function becomeUserWhoseChildrenDie(id: number): void {
  prctl("PR_SET_KEEPCAPS", PR_SET_KEEPCAPS, 1);
  becomeUser(id);
  const header = Buffer.alloc(8); // struct __user_cap_header_struct; thread 0 is the calling one.
  header.writeUInt32LE(CAPABILITY_VERSION_3);
  const sets = Buffer.alloc(24); // Twice effective, permitted, inheritable: capabilities 0 to 31, and the others.
  sets.writeUInt32LE(2 ** CAP_KILL, 0);
  sets.writeUInt32LE(2 ** CAP_KILL, 4);
  call("int capset(void *header, const void *sets)", "CAP_KILL alone", header, sets);
  prctl("PR_SET_KEEPCAPS", PR_SET_KEEPCAPS, 0);
}

/** From now on no program that the calling thread starts has more rights than it. A filter needs that, and spreads it. */
export function setNoNewPrivileges(): void {
  prctl("PR_SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS, 1);
}

function prctl(name: string, option: number, value: number): void {
  const signature = "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)";
  call(signature, name, option, value, 0, 0, 0);
}
