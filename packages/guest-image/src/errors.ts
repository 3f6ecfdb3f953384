/** A guest that could not be built or found; the hint says what to install or run. */
export class GuestImageError extends Error {
  readonly code = "KATA_GUEST_IMAGE";
  override readonly name = "GuestImageError";
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(`${message} (${hint})`, options);
    this.hint = hint;
  }
}
