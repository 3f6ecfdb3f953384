import { createRequire } from "node:module";
import { constants as osConstants } from "node:os";
import { callNumber, type NumberedCall } from "./abi.ts";

/**
 * The one file that binds libc. koffi is loaded on the first native call, so that a program that makes none does not
 * pay for it.
 */
/** koffi gives 64-bit results as bigints where a number cannot hold them. */
interface NativeFunction {
  (...args: unknown[]): number | bigint;
  /** Runs it in another thread; the callback comes last. */
  async(...args: unknown[]): void;
}

interface Koffi {
  load(path: string | null): { func(signature: string): NativeFunction };
  struct(name: string, members: Readonly<Record<string, string>>): unknown;
  errno(): number;
}

/** A system call that failed. */
export class LinuxError extends Error {
  readonly code = "KATA_LINUX";
  override readonly name = "LinuxError";
  /** For example `mount`. */
  readonly syscall: string;
  /** For example `EPERM`. */
  readonly errno: string;

  constructor(syscall: string, errno: string, detail: string) {
    super(`${syscall} ${detail}: ${errno}`);
    this.syscall = syscall;
    this.errno = errno;
  }
}

let koffi: Koffi | undefined;
let libc: ReturnType<Koffi["load"]> | undefined;
const bound: Map<string, NativeFunction> = new Map();

function load(): Koffi {
  koffi ??= createRequire(import.meta.url)("koffi") as Koffi;
  libc ??= koffi.load(null);
  return koffi;
}

/** Loads koffi and binds these signatures now, for a caller about to lose sight of the file system they come from. */
export function preload(signatures: readonly string[]): void {
  load();
  for (const signature of signatures) bind(signature);
}

const structs: Set<string> = new Set();

/** Makes a C structure known to the signatures that name it. */
export function declareStruct(name: string, members: Readonly<Record<string, string>>): void {
  if (structs.has(name)) return;
  structs.add(name);
  load().struct(name, members);
}

/**
 * Calls a libc function that answers -1 on failure.
 *
 * @param signature in C, for example `int setns(int fd, int type)`
 * @throws LinuxError with the errno's name
 */
export function call(signature: string, detail: string, ...args: unknown[]): number {
  const result = bind(signature)(...args);
  if (Number(result) >= 0) return Number(result);
  throw new LinuxError(nameIn(signature), errnoName(load().errno()), detail);
}

/** As call(), in another thread: the event loop does not wait for a call that may take long. */
export function callInThread(signature: string, detail: string, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    bind(signature).async(...args, (error: Error | null, result: number | bigint) => {
      if (error !== null) reject(error);
      else if (Number(result) >= 0) resolve(Number(result));
      else reject(new LinuxError(nameIn(signature), errnoName(load().errno()), detail)); // koffi keeps that thread's.
    });
  });
}

/** As call(), for a raw system call without a libc wrapper. */
export function syscall(name: NumberedCall, parameters: string, detail: string, ...args: unknown[]): number {
  const result = bind(`long syscall(long number, ${parameters})`)(callNumber(name), ...args);
  if (Number(result) >= 0) return Number(result);
  throw new LinuxError(name, errnoName(load().errno()), detail);
}

function bind(signature: string): NativeFunction {
  let native = bound.get(signature);
  if (native === undefined) {
    load();
    if (libc === undefined) throw new Error("libc is not loaded");
    native = libc.func(signature);
    bound.set(signature, native);
  }
  return native;
}

function nameIn(signature: string): string {
  return /(\w+)\s*\(/.exec(signature)?.[1] ?? signature;
}

export function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(osConstants.errno)) if (value === errno) return name;
  return `errno ${String(errno)}`;
}
