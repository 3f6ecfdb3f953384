import { Buffer } from "./buffer.ts";
import { nodeError } from "./errors.ts";
import { promisify } from "./promisify.ts";
import { type ChildProcess, type SpawnOptions, spawn } from "./spawn.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

export interface ExecFileOptions extends Omit<SpawnOptions, "stdio"> {
  /** "buffer" and null for Buffers. */
  readonly encoding?: string | null;
  /** Milliseconds; 0 for none. */
  readonly timeout?: number;
  readonly killSignal?: string | number;
  /** Bytes of each output; the program is ended when it writes more. */
  readonly maxBuffer?: number;
}

type Output = string | Buffer;
type Done = (error: Error | null, stdout: Output, stderr: Output) => void;

const MAX_BUFFER = 2 ** 20;

/** One of a program's outputs, up to a limit. */
class Collected {
  readonly #parts: Buffer[] = [];
  #size = 0;

  /** @param exceeded called once there is more than the limit */
  constructor(stream: ChildProcess["stdout"], limit: number, exceeded: () => void) {
    stream?.on("data", (chunk: Buffer) => {
      const part = chunk.subarray(0, limit - this.#size);
      this.#parts.push(part);
      this.#size += part.length;
      if (part.length < chunk.length) exceeded();
    });
  }

  content(encoding: ExecFileOptions["encoding"]): Output {
    const bytes = Buffer.concat(this.#parts);
    return encoding === null || encoding === "buffer" ? bytes : bytes.toString(encoding);
  }
}

/** Runs a program to its end, and gives all that it writes. Its standard input is a pipe that the caller may write to. */
function run(file: string, args: readonly string[], options: ExecFileOptions, done: Done): ChildProcess {
  const { timeout = 0, killSignal = "SIGTERM", maxBuffer = MAX_BUFFER, encoding = "utf8", ...rest } = options;
  const child = spawn(file, args, rest);
  const command = [file, ...args].join(" ");
  let failure: Error | undefined;
  let killed = false;
  let isOver = false;
  const kill = (): void => {
    killed = true;
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.kill(killSignal);
  };
  const collect = (name: "stdout" | "stderr"): Collected =>
    new Collected(child[name], maxBuffer, () => {
      failure ??= tooMuch(name);
      kill();
    });
  const [stdout, stderr] = [collect("stdout"), collect("stderr")];
  const timer = timeout > 0 ? setTimeout(kill, timeout) : undefined;
  const finish = (code: number | null, signal: string | null): void => {
    if (isOver) return;
    isOver = true;
    if (timer !== undefined) clearTimeout(timer);
    const outputs = [stdout.content(encoding), stderr.content(encoding)] as const;
    if (failure === undefined && code === 0 && signal === null) {
      done(null, ...outputs);
      return;
    }
    const ended = { code, killed: child.killed || killed, signal };
    failure ??= Object.assign(new Error(`Command failed: ${command}\n${String(outputs[1])}`), ended);
    done(Object.assign(failure, { cmd: command }), ...outputs);
  };
  child.on("close", finish);
  child.on("error", (error: Error) => {
    failure = error;
    child.stdout?.destroy();
    child.stderr?.destroy();
    finish(null, null);
  });
  return child;
}

function tooMuch(name: string): Error {
  return nodeError("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", `${name} maxBuffer length exceeded`, RangeError);
}

type Rest = readonly (readonly string[] | ExecFileOptions | Done | null | undefined)[];

function execFileOf(file: string, ...rest: Rest): ChildProcess {
  const done = rest.find((part): part is Done => typeof part === "function") ?? (() => undefined);
  return run(file, argumentsIn(rest), optionsIn(rest), done);
}

/** With both outputs; a failure has them, too. */
function execFilePromise(file: string, ...rest: Rest): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const child = run(file, argumentsIn(rest), optionsIn(rest), (error, stdout, stderr) => {
    if (error === null) resolve({ stdout, stderr });
    else reject(Object.assign(error, { stdout, stderr }));
  });
  return Object.assign(promise, { child });
}

function argumentsIn(rest: Rest): readonly string[] {
  return (rest.find((part) => Array.isArray(part)) ?? []) as readonly string[];
}

function optionsIn(rest: Rest): ExecFileOptions {
  return (rest.find((part) => typeof part === "object" && part !== null && !Array.isArray(part)) ??
    {}) as ExecFileOptions;
}

export const execFile: typeof execFileOf = Object.assign(execFileOf, { [promisify.custom]: execFilePromise });
