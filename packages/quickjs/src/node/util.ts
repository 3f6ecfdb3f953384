import { TextDecoder, TextEncoder } from "./buffer/text.ts";
import { isDeepStrictEqual } from "./equal.ts";
import { errorName } from "./errno.ts";
import { format } from "./format.ts";
import { inspect } from "./inspect.ts";
import { parseArgs } from "./parse-args.ts";
import { promisify } from "./promisify.ts";

export { format, inspect, isDeepStrictEqual, parseArgs, promisify, TextDecoder, TextEncoder };

/** @param errno negative, as Node's errors have it */
export function getSystemErrorName(errno: number): string {
  return errorName(-errno);
}

const ESCAPES = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;]*[A-Za-z]`, "g");

export function stripVTControlCharacters(text: string): string {
  return text.replace(ESCAPES, "");
}

export const types = {
  isUint8Array: (value: unknown): value is Uint8Array => value instanceof Uint8Array,
  isPromise: (value: unknown): boolean => value instanceof Promise,
  isNativeError: (value: unknown): boolean => value instanceof Error,
};
