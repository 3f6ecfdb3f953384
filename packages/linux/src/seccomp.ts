import { FILTERED_CALLS, SIGNAL_CALLS, SOCKET_CALLS } from "./filter-calls.ts";
import { call, declareStruct, LinuxError } from "./native.ts";
import { setNoNewPrivileges } from "./privileges.ts";

interface Architecture {
  /** As <linux/audit.h> names it. */
  readonly audit: number;
  readonly index: 0 | 1;
  readonly seccomp: number;
  readonly clone: number;
  readonly clone3: number;
  readonly ioctl: number;
  readonly socket: number;
  readonly kill: number;
  readonly tgkill: number;
}

/** What a program still does after denySystemCalls(). */
export interface AllowedCalls {
  /** It makes sockets of these families, by the numbers of socket(2), connects and is connected to; without it none. */
  readonly socketFamilies?: readonly number[];
  /** The processes that it sends signals to, beside itself; without it the filter does not look at signals. */
  readonly signalled?: readonly number[];
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000_003e,
    index: 0,
    seccomp: 317,
    clone: 56,
    clone3: 435,
    ioctl: 16,
    socket: 41,
    kill: 62,
    tgkill: 234,
  },
  arm64: {
    audit: 0xc000_00b7,
    index: 1,
    seccomp: 277,
    clone: 220,
    clone3: 435,
    ioctl: 29,
    socket: 198,
    kill: 129,
    tgkill: 131,
  },
};

/** Instructions of classic BPF. */
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_AT_LEAST = 0x35;
const JUMP_IF_ANY_BIT = 0x45;
const RETURN = 0x06;
const BYTES = 8;

/** Where struct seccomp_data has them. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;
const SECOND_ARGUMENT = 24;

const KILL_PROCESS = 0x8000_0000;
const ALLOW = 0x7fff_0000;
const FAIL_WITH = 0x0005_0000;
const EPERM = 1;
const ENOSYS = 38;

/** Numbers from here on are of a second table of x64's, by which each call could be made as well. */
const X32 = 0x4000_0000;
const CLONE_THREAD = 0x1_0000;
/** They type into a terminal what its shell then reads. */
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;

/**
 * Denies all threads of this process what a program that only passes bytes on does not do: system calls of FILTERED_CALLS,
 * new processes, what types into a terminal, and sockets, unless some are allowed. They fail with EPERM, for good. New threads
 * may be made.
 *
 * @returns false where the kernel has no filters, or the architecture's numbers are not known
 */
export function denySystemCalls(allowed: AllowedCalls = {}): boolean {
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) return false;
  setNoNewPrivileges();
  const filter = filterProgram(architecture, allowed);
  declareStruct("kata_sock_fprog", { length: "uint16_t", filter: "void *" });
  const signature =
    "long syscall(long number, unsigned int operation, unsigned int flags, const kata_sock_fprog *program)";
  const program = { length: filter.length / BYTES, filter };
  try {
    const flags = SECCOMP_FILTER_FLAG_TSYNC;
    const thread = call(signature, "seccomp", architecture.seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
    if (thread !== 0) throw new Error(`thread ${String(thread)} has a filter of its own`);
    return true;
  } catch (error) {
    if (error instanceof LinuxError && ["ENOSYS", "EINVAL"].includes(error.errno)) return false;
    throw error;
  }
}

function filterProgram(architecture: Architecture, { socketFamilies, signalled }: AllowedCalls): Buffer {
  const { audit, clone, clone3, ioctl, socket, kill, tgkill } = architecture;
  const denied = {
    ...FILTERED_CALLS,
    ...(socketFamilies === undefined ? SOCKET_CALLS : {}),
    ...(signalled === undefined ? {} : SIGNAL_CALLS),
  };
  const numbers = Object.values(denied).flatMap((each) => each[architecture.index] ?? []);
  return Buffer.concat([
    instruction(LOAD, ARCHITECTURE),
    ...unless(JUMP_IF_EQUAL, audit, instruction(RETURN, KILL_PROCESS)),
    instruction(LOAD, NUMBER),
    ...when(JUMP_IF_AT_LEAST, X32, fail(EPERM)),
    // Its arguments are in memory, where a filter cannot look: libc then calls clone.
    ...when(JUMP_IF_EQUAL, clone3, fail(ENOSYS)),
    ...numbers.flatMap((number) => when(JUMP_IF_EQUAL, number, fail(EPERM))),
    ...(socketFamilies === undefined ? [] : onlyWith(socket, socketFamilies)),
    ...(signalled === undefined ? [] : onlyWith(kill, [process.pid, ...signalled])),
    ...(signalled === undefined ? [] : onlyWith(tgkill, [process.pid])),
    ...when(
      JUMP_IF_EQUAL,
      clone,
      instruction(LOAD, FIRST_ARGUMENT),
      ...unless(JUMP_IF_ANY_BIT, CLONE_THREAD, fail(EPERM)),
      instruction(RETURN, ALLOW),
    ),
    ...when(
      JUMP_IF_EQUAL,
      ioctl,
      instruction(LOAD, SECOND_ARGUMENT),
      ...[TIOCSTI, TIOCLINUX].flatMap((request) => when(JUMP_IF_EQUAL, request, fail(EPERM))),
    ),
    instruction(RETURN, ALLOW),
  ]);
}

/** A call whose first argument is one of these numbers. The kernel takes the lower half of it, which is what is looked at. */
function onlyWith(call: number, values: readonly number[]): Buffer[] {
  const allow = instruction(RETURN, ALLOW);
  const compared = values.flatMap((value) => when(JUMP_IF_EQUAL, value, allow));
  return when(JUMP_IF_EQUAL, call, instruction(LOAD, FIRST_ARGUMENT), ...compared, fail(EPERM));
}

function fail(errno: number): Buffer {
  return instruction(RETURN, FAIL_WITH | errno);
}

/** Runs these where the condition holds, and passes over them where not. */
function when(condition: number, value: number, ...body: readonly Buffer[]): Buffer[] {
  return [instruction(condition, value, 0, body.length), ...body];
}

function unless(condition: number, value: number, ...body: readonly Buffer[]): Buffer[] {
  return [instruction(condition, value, body.length, 0), ...body];
}

/** struct sock_filter: what to do, how far to jump if so and if not, and a value. */
function instruction(code: number, value: number, ifTrue = 0, ifFalse = 0): Buffer {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
