import { Buffer } from "./buffer.ts";
import { ERRORS } from "./errno.ts";
import { closeSync } from "./fs/files.ts";
import { libc, tryLibc } from "./libc.ts";

const ACTIONS_BYTES = 80; // posix_spawn_file_actions_t of glibc
const ATTRIBUTES_BYTES = 336; // posix_spawnattr_t
const SIGSET_BYTES = 128;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const F_DUPFD_CLOEXEC = 1030;

export interface Program {
  readonly cwd?: string;
  readonly detached?: boolean;
  /** NAME=value */
  readonly env: readonly string[];
  /** What its descriptors are, from 0 on. */
  readonly descriptors: readonly number[];
}

/** posix_spawn(3) with default signals. @returns the pid, or a negative error */
export function spawnProgram(file: string, argv: readonly string[], program: Program): number {
  const actions = Buffer.alloc(ACTIONS_BYTES);
  const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
  const pid = Buffer.alloc(4);
  const aside: number[] = [];
  libc("posix_spawn_file_actions_init", actions);
  try {
    // Out of the way of the numbers that they get: one may be another's target.
    for (const descriptor of program.descriptors) {
      aside.push(libc("fcntl", descriptor, F_DUPFD_CLOEXEC, program.descriptors.length));
    }
    for (const [target, descriptor] of aside.entries()) {
      libc("posix_spawn_file_actions_adddup2", actions, descriptor, target);
    }
    if (program.cwd !== undefined) libc("posix_spawn_file_actions_addchdir_np", actions, program.cwd);
    setAttributes(attributes, program.detached === true);
    const result = tryLibc("posix_spawnp", pid, file, actions, attributes, [...argv], [...program.env]);
    return result === 0 ? pid.readInt32LE() : -Math.abs(result);
  } catch (error) {
    return (error as { errno?: number }).errno ?? -ERRORS.EINVAL[0];
  } finally {
    libc("posix_spawn_file_actions_destroy", actions);
    for (const fd of aside) closeSync(fd);
  }
}

/** The program ignores SIGPIPE and blocks what it reads of a descriptor: a child inherits neither. */
function setAttributes(attributes: Buffer, detached: boolean): void {
  libc("posix_spawnattr_init", attributes);
  libc("posix_spawnattr_setsigdefault", attributes, Buffer.alloc(SIGSET_BYTES, 0xff));
  libc("posix_spawnattr_setsigmask", attributes, Buffer.alloc(SIGSET_BYTES));
  libc("posix_spawnattr_setflags", attributes, SETSIGDEF | SETSIGMASK | (detached ? SETSID : 0));
}
