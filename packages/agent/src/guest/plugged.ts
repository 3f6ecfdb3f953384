/** Milliseconds that a device may take to appear which the host says it has plugged in. A guest on a busy host is slow. */
export const PLUGGED_DEADLINE_MS = 10_000;
