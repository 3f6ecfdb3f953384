import { monotonicTime, programArguments, setLoop } from "kata:native";
import { Buffer } from "./buffer.ts";
import { nodeError } from "./errors.ts";
import { EventEmitter } from "./events.ts";
import { inspect } from "./inspect.ts";
import { libc, succeed, tryLibc } from "./libc.ts";
import { runLoop } from "./loop/loop.ts";
import { drain, nextTick } from "./loop/ticks.ts";
import { setUncaughtHandler } from "./loop/uncaught.ts";
import { architecture } from "./machine.ts";
import { makeArguments } from "./process/arguments.ts";
import { type Environment, makeEnvironment } from "./process/environment.ts";
import { exitNow } from "./process/exit.ts";
import { fillStandardStreams, keepDescriptors } from "./process/inheritance.ts";
import { raiseOpenFiles } from "./process/open-files.ts";
import { writeAll } from "./process/output.ts";
import { reportRejections } from "./process/rejections.ts";
import { SignalWatch } from "./process/signal-watch.ts";
import { standardInput, standardOutput } from "./process/standard-streams.ts";
import { SIGNALS } from "./signal-numbers.ts";
import { workingDirectory } from "./working-directory.ts";

const UNSETTLED_TOP_LEVEL_AWAIT = 13;
const startedAt = monotonicTime();
const argv: string[] = makeArguments();
const [executable = ""] = argv;
const watches: Map<string, SignalWatch> = new Map();

class Process extends EventEmitter {
  readonly argv: string[] = argv;
  readonly argv0: string = programArguments()[0] ?? "";
  readonly execArgv: string[] = [];
  readonly env: Environment = makeEnvironment();
  readonly platform = "linux";
  readonly version = "v26.0.0";
  readonly versions: Readonly<Record<string, string>> = { node: "26.0.0", quickjs: "2025-04-26" };
  readonly features: Readonly<Record<string, boolean>> = {};
  exitCode: number | undefined;
  title = "kata-js";
  readonly nextTick: typeof nextTick = nextTick;
  /** The soft limit of open files that its caller had: for what it starts in its caller's place. Node's processes do not know it. */
  readonly softOpenFiles: number = raiseOpenFiles();

  get arch(): string {
    return architecture();
  }
  get pid(): number {
    return libc("getpid");
  }
  get ppid(): number {
    return libc("getppid");
  }
  get execPath(): string {
    return executable;
  }

  exit(code: number | undefined = this.exitCode): never {
    this.exitCode = code ?? 0;
    this.emit("exit", this.exitCode);
    return exitNow(this.exitCode);
  }

  abort(): never {
    this.kill(this.pid, "SIGABRT");
    return exitNow(134);
  }

  kill(pid: number, signal: string | number = "SIGTERM"): true {
    const number = typeof signal === "number" ? signal : SIGNALS[signal];
    if (number === undefined) throw nodeError("ERR_UNKNOWN_SIGNAL", `Unknown signal: ${String(signal)}`, TypeError);
    succeed(tryLibc("kill", pid, number), "kill");
    return true;
  }

  cwd(): string {
    return workingDirectory();
  }

  chdir(path: string): void {
    succeed(tryLibc("chdir", path), "chdir", { path });
  }

  umask(mask?: number): number {
    const before = libc("umask", mask ?? 0);
    if (mask === undefined) libc("umask", before);
    return before;
  }

  getuid(): number {
    return libc("getuid");
  }
  geteuid(): number {
    return libc("geteuid");
  }
  getgid(): number {
    return libc("getgid");
  }
  getegid(): number {
    return libc("getegid");
  }

  uptime(): number {
    return (monotonicTime() - startedAt) / 1000;
  }

  emitWarning(warning: string | Error): void {
    writeAll(2, Buffer.from(`(kata-js) ${String(warning)}\n`));
  }

  override on(name: string | symbol, listener: (...args: never[]) => unknown): this {
    super.on(name, listener);
    if (typeof name === "string" && Object.hasOwn(SIGNALS, name)) this.#listenTo(name);
    return this;
  }

  override removeListener(name: string | symbol, listener: (...args: never[]) => unknown): this {
    super.removeListener(name, listener);
    this.#forget(String(name));
    return this;
  }

  override removeAllListeners(name?: string | symbol): this {
    super.removeAllListeners(name);
    for (const each of [...watches.keys()]) this.#forget(each);
    return this;
  }

  #listenTo(name: string): void {
    if (watches.has(name)) return;
    const watch = new SignalWatch();
    watch.onsignal = (signal) => {
      this.emit(name, name, signal);
      if (this.listenerCount(name) === 0) this.#forget(name);
    };
    const failure = watch.start(SIGNALS[name] ?? 0);
    if (failure < 0) throw nodeError("EINVAL", `uv_signal_start EINVAL: ${name} cannot be listened to`);
    watches.set(name, watch);
  }

  #forget(name: string): void {
    if (this.listenerCount(name) > 0) return;
    watches.get(name)?.close();
    watches.delete(name);
  }
}

const process: Process = new Process();
export default process;

/** Made when they are first used: a program may have no use for its descriptors, or another one. */
for (const [name, make] of Object.entries({
  stdin: standardInput,
  stdout: () => standardOutput(1),
  stderr: () => standardOutput(2),
})) {
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () => {
      const value: unknown = make();
      Object.defineProperty(process, name, { configurable: true, enumerable: true, writable: true, value });
      return value;
    },
  });
}

export const { env, platform } = process;
export { argv, nextTick };

setUncaughtHandler((error, origin) => {
  if (origin === "unhandledRejection" && process.emit("unhandledRejection", error)) return;
  process.emit("uncaughtExceptionMonitor", error, origin);
  if (process.emit("uncaughtException", error, origin)) return;
  writeAll(2, Buffer.from(`Uncaught ${inspect(error)}\n`));
  process.exit(1);
});
reportRejections();
fillStandardStreams();
keepDescriptors();
setLoop((evaluated) => {
  const unsettled = new Set([evaluated]);
  // Its rejection is reported as any other is.
  void evaluated.then(() => {
    unsettled.clear();
  });
  runLoop();
  if (unsettled.size > 0) process.exitCode ??= UNSETTLED_TOP_LEVEL_AWAIT;
  process.emit("beforeExit", process.exitCode ?? 0);
  runLoop();
  drain();
  return process.exit();
});
