/**
 * containerd's shim API for containers in virtual machines: one process on the host serves a pod.
 *
 * @example
 * ```ts
 * import { main } from "@kata-ts/containerd-shim";
 *
 * process.exitCode = await main(["-v"]);
 * ```
 *
 * @module
 */
export { main } from "./main.ts";
