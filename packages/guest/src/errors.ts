/** No guest that can be booted is installed; the hint says what to do. */
export class GuestError extends Error {
  readonly code = "KATA_GUEST";
  override readonly name = "GuestError";
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}
