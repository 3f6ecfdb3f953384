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

const inFlight: Set<ChildProcess> = new Set();

/**
 * Ends every command that still runs, as for a test that hangs: it goes on then, to its own clean-up.
 *
 * @returns whether there was one
 */
export function giveUpCommands(): boolean {
  const hanging = [...inFlight];
  for (const child of hanging) giveUp(child);
  return hanging.length > 0;
}

/** Its own children may hold its streams: they are not waited for. */
function giveUp(child: ChildProcess): void {
  child.kill("SIGKILL");
  for (const stream of child.stdio) stream?.destroy();
}

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
  inFlight.add(child);
  const timer = setTimeout(giveUp, DEADLINE_MS, child);
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
  }).finally(() => {
    clearTimeout(timer);
    inFlight.delete(child);
  });
  const stdoutBytes = Buffer.concat(stdout);
  const text = (bytes: Buffer): string => bytes.toString().replace(/\n$/, "");
  const stderrBytes = Buffer.concat(stderr);
  return { exitCode, signal, stdout: text(stdoutBytes), stderr: text(stderrBytes), stdoutBytes, stderrBytes };
}
