/** What went wrong, for programs: stable, never reworded. */
export type ImageErrorCode =
  | "KATA_IMAGE_REFERENCE"
  | "KATA_IMAGE_NOT_FOUND"
  | "KATA_IMAGE_FORMAT"
  | "KATA_IMAGE_DIGEST"
  | "KATA_IMAGE_LAYER"
  | "KATA_IMAGE_PLATFORM"
  | "KATA_IMAGE_REGISTRY"
  | "KATA_IMAGE_IN_USE";

/** An image that cannot be had, or must not be trusted. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
