/** What a bundle has instead of `performance.now()`, which loads modules for it: milliseconds since the process was started. */
export function uptimeMs(): number {
  return process.uptime() * 1000;
}
