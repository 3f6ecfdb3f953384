/**
 * OCI images without an engine: from a layout, an archive or a registry to a root file system.
 *
 * @example
 * ```ts
 * import { openImage } from "@kata-ts/oci-image";
 *
 * const image = await openImage({ registry: "docker.io/library/alpine:3.20" });
 * await image.unpack("/srv/alpine");
 * const { args, env, cwd, user } = await image.process("/srv/alpine");
 * ```
 *
 * @module
 */
export type { ImageConfig, ImageDefaults, Platform } from "./documents.ts";
export { ImageError, type ImageErrorCode } from "./errors.ts";
export type { Progress } from "./fetch-image.ts";
export { Image, type ImageLocation, type ImageOptions, openImage } from "./image.ts";
export { type ImageProcess, processFor } from "./process.ts";
export type { Credentials } from "./sources/docker-config.ts";
export type { RegistryOptions } from "./sources/registry-options.ts";
export type { RetryOptions } from "./sources/retry.ts";
