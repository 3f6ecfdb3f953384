/**
 * Reading the records of containers, for programs that only look: nothing of the guest protocol is loaded.
 *
 * @example
 * ```ts
 * import { FileStore, parseContainerId, statusOf } from "@kata-ts/virtcontainers/records";
 *
 * const record = await new FileStore("/run/kata-ts/containers").read(parseContainerId("web"));
 * console.log(statusOf(record));
 * ```
 *
 * @module
 */
export { type DroppedOutput, readDropped } from "@kata-ts/shim/dropped-output";
export { type ContainerStatus, pidOf, statusOf } from "./container/status.ts";
export { KataError, reasonOf } from "./errors.ts";
export { type ContainerId, parseContainerId } from "./identifiers.ts";
export type { ContainerRecord } from "./ports/store.ts";
export { FileStore } from "./store/file-store.ts";
