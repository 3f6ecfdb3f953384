import { type Argument, addressOf, call, errno as lastError } from "kata:native";
import { Buffer } from "./buffer.ts";
import { libcNumber } from "./libc.ts";
import { callInThread } from "./threads.ts";

// koffi's functions, as `packages/linux` uses them: signatures in C whose arguments are integers, pointers and strings, and
// structures of such.

type Members = Readonly<Record<string, string>>;

interface NativeFunction {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
}

const structs: Map<string, Members> = new Map();
let threadError: number | undefined;

/**
 * Signals are read of a descriptor, and so stay blocked: what lets a thread of Node's receive one again would end the program
 * here. A child's own mask is cleared when it is started.
 */
const NEEDLESS: ReadonlySet<string> = new Set(["pthread_sigmask"]);

export function struct(name: string, members: Members): object {
  structs.set(name, members);
  return {};
}

export function load(): { func(signature: string): NativeFunction } {
  return { func: bind };
}

/** Of the last call, in the last thread that had one. */
export function errno(): number {
  return threadError ?? lastError();
}

function bind(signature: string): NativeFunction {
  const [, name = "", parameters = ""] = /(\w+)\s*\(([^)]*)\)/.exec(signature) ?? [];
  if (NEEDLESS.has(name)) return Object.assign((): number => 0, { async: () => undefined });
  const number = libcNumber(name);
  const types = parameters.split(",").map((parameter) => parameter.trim());
  const convert = (args: readonly unknown[], held: unknown[]): Argument[] =>
    args.map((value, index) => argumentOf(value, types[index] ?? "", held));
  const synchronous = (...args: unknown[]): number => {
    const held: unknown[] = [];
    threadError = undefined;
    return call(number, ...convert(args, held));
  };
  const async = (...args: unknown[]): void => {
    const done = args.pop() as (error: Error | null, result: number) => void;
    const held: unknown[] = [];
    callInThread(number, convert(args, held)).then(
      (result) => {
        threadError = result < 0 ? -result : 0;
        done(null, result < 0 ? -1 : result);
        held.length = 0; // What is pointed to has lived until here.
      },
      (error: unknown) => {
        done(error as Error, -1);
      },
    );
  };
  return Object.assign(synchronous, { async });
}

function argumentOf(value: unknown, type: string, held: unknown[]): Argument {
  const members = structOf(type);
  if (members === undefined || typeof value !== "object" || value === null) return value as Argument;
  return encode(members, value as Readonly<Record<string, unknown>>, held);
}

function structOf(type: string): Members | undefined {
  for (const word of type.split(/[\s*]+/)) {
    const members = structs.get(word);
    if (members !== undefined) return members;
  }
  return undefined;
}

const SIZES: Readonly<Record<string, number>> = { uint16_t: 2, int: 4, uint32_t: 4 };

/** Each member at the next multiple of its own size, as compilers lay structures out. */
function encode(members: Members, value: Readonly<Record<string, unknown>>, held: unknown[]): Buffer {
  const bytes = Buffer.alloc(8 * Object.keys(members).length);
  let at = 0;
  for (const [name, type] of Object.entries(members)) {
    const size = SIZES[type] ?? 8;
    at = Math.ceil(at / size) * size;
    const number = BigInt.asUintN(64, wordOf(value[name], type, held)) & (2n ** BigInt(8 * size) - 1n);
    for (let index = 0; index < size; index++) bytes[at + index] = Number((number >> BigInt(8 * index)) & 0xffn);
    at += size;
  }
  held.push(bytes);
  return bytes;
}

function wordOf(value: unknown, type: string, held: unknown[]): bigint {
  if (value === null || value === undefined) return 0n;
  if (typeof value === "number" || typeof value === "bigint") return BigInt(value);
  if (value instanceof Uint8Array) {
    held.push(value);
    return value.length === 0 ? 0n : addressOf(value);
  }
  const members = structOf(type);
  if (members === undefined || !Array.isArray(value))
    throw new TypeError(`a ${type} cannot be made of ${typeof value}`);
  const elements = (value as Readonly<Record<string, unknown>>[]).map((element) => encode(members, element, held));
  const whole = Buffer.concat(elements);
  held.push(whole);
  return addressOf(whole);
}

export default { load, struct, errno };
