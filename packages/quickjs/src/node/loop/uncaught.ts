let handler: ((error: unknown, origin: UncaughtOrigin) => void) | undefined;

export type UncaughtOrigin = "uncaughtException" | "unhandledRejection";

/** What becomes of an error that no code has caught: `process` decides it. */
export function setUncaughtHandler(handle: NonNullable<typeof handler>): void {
  handler = handle;
}

export function reportUncaught(error: unknown, origin: UncaughtOrigin = "uncaughtException"): void {
  if (handler === undefined) throw error;
  handler(error, origin);
}
