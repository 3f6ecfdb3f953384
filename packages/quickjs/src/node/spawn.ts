import { abortError } from "./abort-error.ts";
import { Buffer } from "./buffer.ts";
import { errorName } from "./errno.ts";
import { systemError } from "./errors.ts";
import { EventEmitter } from "./events.ts";
import { closeSync, openSync } from "./fs/files.ts";
import { libc, succeed, tryLibc } from "./libc.ts";
import { READABLE, Watch } from "./loop/poll.ts";
import { nextTick } from "./loop/ticks.ts";
import { Socket } from "./net/socket.ts";
import process from "./process.ts";
import { signalName } from "./signal-numbers.ts";
import { checkOptions, descriptorsOf, entriesOf, type SpawnOptions, signalNumber } from "./spawn-options.ts";
import { spawnProgram } from "./spawn-program.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

export type { SpawnOptions } from "./spawn-options.ts";

const PIDFD_OPEN = 434;
const AF_UNIX = 1;
const SIGKILL = 9;
const SOCKET_FLAGS = 0o2000001; // SOCK_STREAM | SOCK_CLOEXEC

/** A program that was started; its streams are ours where they were asked for as pipes. */
export class ChildProcess extends EventEmitter {
  pid: number | undefined;
  exitCode: number | null = null;
  signalCode: string | null = null;
  killed = false;
  stdin: Socket | null = null;
  stdout: Socket | null = null;
  stderr: Socket | null = null;
  readonly stdio: (Socket | null)[] = [];
  readonly spawnfile: string;
  readonly spawnargs: readonly string[];
  #watch: Watch | undefined;

  constructor(file: string, args: readonly string[], options: SpawnOptions) {
    super();
    this.spawnfile = file;
    this.spawnargs = [options.argv0 ?? file, ...args];
    checkOptions(options, ["signal"]);
    const streams = descriptorsOf(options.stdio);
    const given: number[] = [];
    try {
      const descriptors = streams.map((stream, index) => this.#descriptorFor(stream, index, given));
      const program = { ...options, env: entriesOf(options.env ?? process.env), descriptors };
      this.#watchOver(succeed(spawnProgram(file, this.spawnargs, program), "spawn"), options);
    } catch (error) {
      const { errno } = error as { readonly errno?: number };
      for (const stream of this.stdio) stream?.destroy();
      if (errno === undefined) throw error;
      this.#fail(-errno);
    } finally {
      for (const fd of given) closeSync(fd);
    }
    [this.stdin = null, this.stdout = null, this.stderr = null] = this.stdio;
  }

  kill(signal: string | number = "SIGTERM"): boolean {
    const number = signalNumber(signal);
    if (this.pid === undefined || this.exitCode !== null || this.signalCode !== null) return false;
    if (tryLibc("kill", this.pid, number) < 0) return false;
    if (number !== 0) this.killed = true;
    return true;
  }

  ref(): void {
    this.#watch?.reference(true);
  }

  unref(): void {
    this.#watch?.reference(false);
  }

  /** Both ends of a pipe are made here: the child's is closed once it has been started. */
  #descriptorFor(stream: "pipe" | "ignore" | number, index: number, given: number[]): number {
    this.stdio[index] = null;
    if (typeof stream === "number") return stream;
    if (stream === "ignore") {
      given.push(openSync("/dev/null", "r+"));
    } else {
      const ends = Buffer.alloc(8);
      libc("socketpair", AF_UNIX, SOCKET_FLAGS, 0, ends);
      given.push(ends.readInt32LE(4));
      const sides = { readable: index !== 0, writable: index === 0 || index > 2 };
      this.stdio[index] = new Socket({ fd: ends.readInt32LE(0), allowHalfOpen: false, ...sides });
    }
    return given.at(-1) ?? -1;
  }

  #watchOver(pid: number, options: SpawnOptions): void {
    const fd = tryLibc("syscall", PIDFD_OPEN, pid, 0);
    if (fd < 0) {
      // Its end would not be heard of: it does not go on.
      tryLibc("kill", pid, SIGKILL);
      tryLibc("waitpid", pid, Buffer.alloc(4), 0);
      throw systemError(-fd, "pidfd_open");
    }
    this.pid = pid;
    this.#watch = new Watch(fd, () => {
      this.#watch?.close();
      closeSync(fd);
      this.#ended(pid);
    });
    this.#watch.want(READABLE);
    nextTick(() => {
      this.emit("spawn");
    });
    this.#limit(options);
  }

  #limit({ timeout = 0, killSignal, signal }: SpawnOptions): void {
    if (timeout > 0) {
      const timer = setTimeout(() => this.kill(killSignal), timeout);
      this.once("exit", () => {
        clearTimeout(timer);
      });
    }
    if (signal === undefined) return;
    const onAbort = (): void => {
      if (this.kill(killSignal)) this.emit("error", abortError(signal));
    };
    if (signal.aborted) {
      nextTick(onAbort);
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    this.once("exit", () => {
      signal.removeEventListener("abort", onAbort);
    });
  }

  /** A status that cannot be had is none of success: it is the negative error, as that of a program that could not be started. */
  #ended(pid: number): void {
    const status = Buffer.alloc(4);
    const result = tryLibc("waitpid", pid, status, 0);
    const value = status.readInt32LE();
    const signal = value & 0x7f;
    if (result < 0) this.exitCode = result;
    else if (signal === 0) this.exitCode = (value >> 8) & 0xff;
    else this.signalCode = signalName(signal) ?? null;
    this.stdin?.destroy();
    this.emit("exit", this.exitCode, this.signalCode);
    this.#closeWhenRead();
  }

  /** When all that it has written has been read. */
  #closeWhenRead(): void {
    const open = this.stdio.filter((stream) => stream !== null && !stream.destroyed && stream !== this.stdin);
    let left = open.length;
    const closed = (): void => {
      left -= 1;
      if (left <= 0) this.emit("close", this.exitCode, this.signalCode);
    };
    if (left === 0) nextTick(closed);
    for (const stream of open) stream?.once("close", closed);
  }

  #fail(errno: number): void {
    const path = this.spawnfile;
    const error = systemError(errno, `spawn ${path}`, { path });
    Object.assign(error, {
      message: `spawn ${path} ${errorName(errno)}`,
      spawnargs: this.spawnargs.slice(1),
    });
    this.exitCode = -errno;
    nextTick(() => {
      this.emit("error", error);
      this.emit("close", this.exitCode, null);
    });
  }
}

export function spawn(
  file: string,
  args: readonly string[] | SpawnOptions = [],
  options: SpawnOptions = {},
): ChildProcess {
  return Array.isArray(args)
    ? new ChildProcess(file, args as readonly string[], options)
    : new ChildProcess(file, [], args as SpawnOptions);
}
