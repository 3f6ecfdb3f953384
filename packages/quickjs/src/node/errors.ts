import { errorName, errorText } from "./errno.ts";

/** What a system call was made with, as its error says it. */
export interface CallDetails {
  readonly path?: string | undefined;
  readonly dest?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

/** An Error as Node makes it of a failed system call: code, a negative errno, the call and what it was made with. */
export function systemError(errno: number, syscall: string, details: CallDetails = {}): Error {
  const code = errorName(errno);
  const { path, dest, address, port } = details;
  const files = `${path === undefined ? "" : ` '${path}'`}${dest === undefined ? "" : ` -> '${dest}'`}`;
  const message =
    address === undefined
      ? `${code}: ${errorText(errno)}, ${syscall}${files}`
      : `${syscall} ${code} ${address}${port === undefined ? "" : `:${String(port)}`}`;
  const given = Object.entries(details).filter(([, value]) => value !== undefined);
  return Object.assign(new Error(message), { errno: -errno, code, syscall }, Object.fromEntries(given));
}

/**
 * The same for what is thrown in passing, such as EAGAIN: an Error's constructor writes the text of the whole stack, and an
 * object with its prototype does not.
 */
export function systemErrorWithoutStack(errno: number, syscall: string): Error {
  const code = errorName(errno);
  const properties = { message: `${code}: ${errorText(errno)}, ${syscall}`, errno: -errno, code, syscall };
  return Object.assign(Object.create(Error.prototype) as Error, properties);
}

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** An Error with one of Node's own codes. */
export function nodeError(code: string, message: string, Class: ErrorClass = Error, cause?: unknown): Error {
  return Object.assign(new Class(message, cause === undefined ? undefined : { cause }), { code });
}

export function invalidArgument(name: string, expected: string, value: unknown): Error {
  const given = value === null || value === undefined ? String(value) : `type ${typeof value}`;
  return nodeError("ERR_INVALID_ARG_TYPE", `The "${name}" argument must be ${expected}. Received ${given}`, TypeError);
}

export function outOfRange(name: string, range: string, value: unknown): Error {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${String(value)}`;
  return nodeError("ERR_OUT_OF_RANGE", message, RangeError);
}
