import { constants } from "node:os";
import { describeForAdministrators } from "@kata-ts/runtime";
import { reasonOf } from "@kata-ts/virtcontainers/records";

/** Exit statuses of shells, and of Docker, for a program that does not exist, and for a program that cannot be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const FAILURE = 1;
const FIRST_SIGNAL_STATUS = 128;

export interface Failure {
  readonly message: string;
  readonly status: number;
}

/**
 * What to say of anything thrown, and to end with: 130 where a person gave up by ^C.
 *
 * @param own the status where the command itself has failed, before there was a program
 */
export function failureOf(error: unknown, own: number = FAILURE): Failure {
  if (typeof error === "string" && Object.hasOwn(constants.signals, error)) {
    const signal = constants.signals[error as NodeJS.Signals];
    return { message: `given up: ${error}`, status: FIRST_SIGNAL_STATUS + signal };
  }
  const { hint } = (error instanceof Error ? error : {}) as { readonly hint?: string };
  const message = reasonOf(error);
  return { message: describeForAdministrators(message, hint), status: statusOf(message) ?? own };
}

/** Undefined for what is not about a program. By the OCI runtimes' words, in the guest's and in Go's spelling. */
function statusOf(message: string): number | undefined {
  const isAboutProgram = /\b(?:crun|runc) (?:create|start|exec):|\bexec:/.test(message);
  if (!isAboutProgram) return undefined;
  if (/executable file .*not found|no such file or directory/i.test(message)) return NOT_FOUND;
  return /permission denied|not executable|exec format error|is a directory/i.test(message)
    ? NOT_EXECUTABLE
    : undefined;
}
