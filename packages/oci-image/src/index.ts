/**
 * OCI images without an engine: from a layout, an archive or a registry to a root file system.
 *
 * @example
 * ```ts
 * import { openImage } from "@kata-ts/oci-image";
 *
 * const image = await openImage({ registry: "docker.io/library/alpine:3.20" });
 * await image.unpack("/srv/alpine");
 * const { args, env, cwd, user } = image.process();
 * ```
 *
 * @module
 */
export type { ImageConfig, ImageDefaults, Platform } from "./documents.ts";
export { ImageError, type ImageErrorCode } from "./errors.ts";
export type { BlobSize, Progress } from "./fetch-image.ts";
export { Image, type ImageLocation, type ImageOptions, openImage } from "./image.ts";
export { fits, ownPlatform, parsePlatform, platformText } from "./platform.ts";
export { type ImageProcess, processFor } from "./process.ts";
export type { Credentials } from "./sources/docker-config.ts";
export { type Login, type LoginOptions, logIn, logOut } from "./sources/docker-login.ts";
export type { RegistryOptions } from "./sources/registry-options.ts";
export type { RetryOptions } from "./sources/retry.ts";
export { ImageStore, nameBy, nameOf, type PullOptions, type RemoveOptions } from "./store/image-store.ts";
export type { StoredImage } from "./store/stored-image.ts";
