import { type Argument, call, errno, functionNamed } from "kata:native";
import { type CallDetails, systemError } from "./errors.ts";

const numbers: Map<string, number> = new Map();

/** A function's number in the table of native/calls.c. @throws Error for one that is not there */
export function libcNumber(name: string): number {
  let number = numbers.get(name);
  if (number === undefined) {
    number = functionNamed(name);
    if (number < 0) throw new Error(`${name} is not in the table of native/calls.c`);
    numbers.set(name, number);
  }
  return number;
}

/** Calls libc. @returns the result, or the negative number of the error where it is -1 */
export function tryLibc(name: string, ...args: Argument[]): number {
  for (;;) {
    const result = call(libcNumber(name), ...args);
    if (result !== -1) return result;
    if (errno() !== EINTR) return -errno();
  }
}

const EINTR = 4;

/** Calls libc. @throws a system error where it answers -1 */
export function libc(name: string, ...args: Argument[]): number {
  const result = tryLibc(name, ...args);
  if (result < 0) throw systemError(-result, name);
  return result;
}

/** @throws a system error where a result is a negative one */
export function succeed(result: number, syscall: string, details?: CallDetails): number {
  if (result < 0) throw systemError(-result, syscall, details);
  return result;
}
