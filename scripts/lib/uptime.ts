/**
 * What a bundle has instead of `performance.now()`, for which Node loads modules, two milliseconds of a call: milliseconds
 * since the process was started.
 */
export function uptimeMs(): number {
  return process.uptime() * 1000;
}
