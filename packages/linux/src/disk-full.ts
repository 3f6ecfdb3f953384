/** No room for a write: on the disk, or in what of it the writer may have (quotas of users, groups, projects). */
const NO_ROOM: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

/** Whether a write failed for want of room: the same write may succeed later. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && NO_ROOM.has(error.code);
}
