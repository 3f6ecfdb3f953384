import type { FileFailure } from "@kata-ts/agent-protocol";
import { escapeControls } from "@kata-ts/linux";
import { KataError } from "../../errors.ts";

const MAX_WORDS = 500;

/** An operation on files of a container that did not come about. The words are the guest's, bounded and without control characters. */
export class ContainerFileError extends KataError {
  /** The kernel's name for the reason, such as `ENOENT`, `EISDIR` or `ENOSPC`; `EFBIG` for more than was allowed; "" for none of them. */
  readonly errno: string;
  /** As it was given. */
  readonly path: string;

  constructor(what: string, path: string, { errno, message }: FileFailure) {
    super("KATA_FILE", `could not ${what}: ${escapeControls(message.slice(0, MAX_WORDS))}`);
    this.errno = /^E[A-Z0-9]{1,30}$/.test(errno) ? errno : "";
    this.path = path;
  }
}
