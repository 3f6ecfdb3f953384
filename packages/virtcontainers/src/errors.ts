/** What went wrong, for programs: stable, never reworded. docs/errors.md lists them with what to do. */
export type KataErrorCode =
  | "KATA_ID_INVALID"
  | "KATA_ID_IN_USE"
  | "KATA_NOT_FOUND"
  | "KATA_STATE"
  | "KATA_STATE_FILE"
  | "KATA_LOCK_TIMEOUT"
  | "KATA_MOUNT_SOURCE"
  | "KATA_BOOT"
  | "KATA_VM_GONE"
  | "KATA_PROXY"
  | "KATA_SHIM"
  | "KATA_AGENT"
  | "KATA_CONFIG"
  | "KATA_GUEST"
  | "KATA_ANNOTATION"
  | "KATA_PRIVILEGES"
  | "KATA_HOOK"
  | "KATA_CGROUP"
  | "KATA_HOST_NETWORK"
  | "KATA_NETWORK_INTERFACE"
  | "KATA_DISK"
  | "KATA_SNAPSHOT"
  | "KATA_UNSUPPORTED"
  | "KATA_TIMEOUT"
  | "KATA_FILE"
  | "KATA_INTERRUPTED";

export interface KataErrorOptions extends ErrorOptions {
  /** What the reader can do about it. It names options of this library, such as `vm.memoryMiB`; an entry point with a configuration writes its own names. */
  readonly hint?: string;
}

/** The one error class of this library: a stable code, what failed on which object, why, and what to do. */
export class KataError extends Error {
  override readonly name = "KataError";
  readonly code: KataErrorCode;
  readonly hint: string | undefined;

  constructor(code: KataErrorCode, message: string, options: KataErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
  }
}

/** The message of anything thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
