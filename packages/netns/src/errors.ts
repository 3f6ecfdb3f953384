/** Stable codes of this package's errors; docs/errors.md lists them with what to do. */
export type NetnsErrorCode = "KATA_NETNS" | "KATA_NETWORK" | "KATA_NETWORK_UNSUPPORTED";

/** A namespace that cannot be used, an interface that cannot be connected, or a kind of it that is not supported. */
export class NetnsError extends Error {
  override readonly name = "NetnsError";
  readonly code: NetnsErrorCode;
  readonly hint: string | undefined;

  constructor(code: NetnsErrorCode, message: string, options: ErrorOptions & { readonly hint?: string } = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
  }
}
