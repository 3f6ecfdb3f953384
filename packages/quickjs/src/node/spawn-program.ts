import { Buffer } from "./buffer.ts";
import { ERRORS } from "./errno.ts";
import { systemError } from "./errors.ts";
import { constants } from "./fs/constants.ts";
import { closeSync } from "./fs/files.ts";
import { accessSync, statSync } from "./fs/stats.ts";
import { libc, tryLibc } from "./libc.ts";

const ACTIONS_BYTES = 80; // posix_spawn_file_actions_t of glibc
const ATTRIBUTES_BYTES = 336; // posix_spawnattr_t
const SIGSET_BYTES = 128;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const F_DUPFD_CLOEXEC = 1030;
/** A descriptor that a program does not have. */
export const NONE = -1;

export interface Program {
  readonly cwd?: string;
  readonly detached?: boolean;
  /** NAME=value */
  readonly env: readonly string[];
  /** What its descriptors are, from 0 on; -1 for none. */
  readonly descriptors: readonly number[];
}

/** posix_spawn(3) with default signals. @returns the pid, or a negative error */
export function spawnProgram(file: string, argv: readonly string[], program: Program): number {
  const actions = Buffer.alloc(ACTIONS_BYTES);
  const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
  const pid = Buffer.alloc(4);
  const aside: Map<number, number> = new Map();
  libc("posix_spawn_file_actions_init", actions);
  try {
    // Out of the way of the numbers that they get: one may be another's target.
    for (const [target, descriptor] of program.descriptors.entries()) {
      if (descriptor === NONE) continue;
      aside.set(target, libc("fcntl", descriptor, F_DUPFD_CLOEXEC, program.descriptors.length));
    }
    for (const [target, descriptor] of aside) {
      libc("posix_spawn_file_actions_adddup2", actions, descriptor, target);
    }
    if (program.cwd !== undefined) libc("posix_spawn_file_actions_addchdir_np", actions, program.cwd);
    setAttributes(attributes, program.detached === true);
    const path = pathOfProgram(file, program.env);
    const result = tryLibc("posix_spawnp", pid, path, actions, attributes, [...argv], [...program.env]);
    return result === 0 ? pid.readInt32LE() : -Math.abs(result);
  } catch (error) {
    return (error as { errno?: number }).errno ?? -ERRORS.EINVAL[0];
  } finally {
    libc("posix_spawn_file_actions_destroy", actions);
    for (const fd of aside.values()) closeSync(fd);
  }
}

/** The program ignores SIGPIPE and SIGXFSZ, and blocks what it reads of a descriptor: a child inherits none of it. */
function setAttributes(attributes: Buffer, detached: boolean): void {
  libc("posix_spawnattr_init", attributes);
  libc("posix_spawnattr_setsigdefault", attributes, Buffer.alloc(SIGSET_BYTES, 0xff));
  libc("posix_spawnattr_setsigmask", attributes, Buffer.alloc(SIGSET_BYTES));
  libc("posix_spawnattr_setflags", attributes, SETSIGDEF | SETSIGMASK | (detached ? SETSID : 0));
}

const PATH = "PATH=";
/** Where there is no PATH, as execvp(3) has it. */
const USUAL_PATH = "/bin:/usr/bin";

/**
 * A name without a slash is looked for in the PATH that the program gets, as Node does; posix_spawnp would take ours.
 *
 * @throws a system error where it is not there, or may not be run
 */
function pathOfProgram(file: string, env: readonly string[]): string {
  if (file.includes("/") || file === "") return file;
  const path = env.find((entry) => entry.startsWith(PATH))?.slice(PATH.length) ?? USUAL_PATH;
  let failure: Error = systemError(ERRORS.ENOENT[0], "execvp", { path: file });
  for (const directory of path.split(":")) {
    const candidate = `${directory === "" ? "." : directory}/${file}`;
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate)?.isFile() === true) return candidate;
      failure = systemError(ERRORS.EACCES[0], "execvp", { path: candidate });
    } catch (error) {
      if ((error as { code?: string }).code === "EACCES") failure = error as Error;
    }
  }
  throw failure;
}
