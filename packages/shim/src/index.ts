/**
 * A guest process's stand-in on the host, as a library; `kata-shim` is a thin program around it.
 *
 * @example
 * ```ts
 * import { openProcess } from "@kata-ts/shim";
 *
 * using guest = await openProcess(url, { containerId: "web", execId: "web" });
 * guest.stdout.pipe(process.stdout);
 * const status = await guest.wait();
 * ```
 *
 * @module
 */
export { attach } from "./attach.ts";
export { giveContainerView } from "./container-view.ts";
export { encodeTarget, encodeUser, SHIM_CONNECTED, SHIM_READY, type Target } from "./control.ts";
export type { GuestProcess, ProcessAddress } from "./guest-process.ts";
export { type HostStdio, openHostStdio } from "./host-stdio.ts";
export { main } from "./main.ts";
export { openProcess } from "./open-process.ts";
export { type OutputFiles, outputPaths } from "./output-ring.ts";
export { PolledProcess } from "./polled-process.ts";
export { StreamedProcess } from "./streamed-process.ts";
