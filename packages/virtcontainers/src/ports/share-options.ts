/** How a guest gets a file or directory of the host. */
export interface ShareOptions {
  readonly readonly: boolean;
  /** Read-only with all mounts below it. */
  readonly readonlyTree?: boolean | undefined;
  /** With all mounts below it. */
  readonly recursive: boolean;
  /** Whether the guest also gets what the host mounts below it later (`slave`); by default it does not. */
  readonly propagation?: "private" | "slave" | undefined;
  /** Names of directories in it that the guest can neither move nor remove. */
  readonly pinned?: readonly string[] | undefined;
}
