/**
 * A guest to boot: a kernel and a root file system, built by this project and published with their digests. Sandboxes of
 * `@kata-ts/virtcontainers` use it by themselves where it is installed.
 *
 * @example
 * ```ts
 * import { openGuest } from "@kata-ts/guest";
 *
 * const guest = await openGuest();
 * ```
 *
 * @module
 */
export { GuestError } from "./errors.ts";
export type { GuestVersions } from "./manifest.ts";
export { type InstalledGuest, type OpenGuestOptions, openGuest } from "./open-guest.ts";
