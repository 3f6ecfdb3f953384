import { type ChildProcess, spawn } from "node:child_process";

export interface CommandOptions {
  /** Standard input; empty when absent. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Give it no pipes: for commands that leave a process behind which keeps its streams. */
  readonly detachedStreams?: boolean;
  /** Called with the process once it is started. */
  readonly onStart?: (child: ChildProcess) => void;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Without the last line end. */
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
  readonly stderrBytes: Buffer;
}

const DEADLINE_MS = 300_000;

/** Runs a command to its end. Never rejects for a failing one; kills one that does not end. */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const output = options.detachedStreams === true ? "ignore" : "pipe";
  const child = spawn(file, args, {
    stdio: [options.input === undefined ? "ignore" : "pipe", output, output],
    cwd: options.cwd,
    env: options.env ?? process.env,
  });
  options.onStart?.(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input);
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, by) => {
      resolve([code, by]);
    });
  });
  clearTimeout(timer);
  const stdoutBytes = Buffer.concat(stdout);
  const text = (bytes: Buffer): string => bytes.toString().replace(/\n$/, "");
  const stderrBytes = Buffer.concat(stderr);
  return { exitCode, signal, stdout: text(stdoutBytes), stderr: text(stderrBytes), stdoutBytes, stderrBytes };
}
