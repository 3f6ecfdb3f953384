import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { SpecHook } from "@kata-ts/agent-protocol";
import { KataError } from "../errors.ts";
import { onAbort } from "../interruption.ts";

/** What a hook reads on its standard input: the specification's state. */
export interface HookState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: "creating" | "created" | "running" | "stopped";
  /** Absent once there is no process. */
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RunHookOptions {
  /** How to start a program, for hooks that run in another namespace. */
  readonly start?: typeof spawn;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** Ends even a hook that was given no timeout of its own. */
const LONGEST_MS = 10 * 60_000;
/** After the exit: for what is still in the pipes, should a child of the hook hold them. */
const DRAIN_MS = 100;
const MAX_OUTPUT = 4096;

/**
 * Runs one hook as the specification has it: its own argv and environment and nothing else, the state on its standard
 * input, its timeout in seconds.
 *
 * @throws KataError KATA_HOOK when it cannot be started, fails, or takes longer than its timeout
 */
export async function runHook(hook: SpecHook, state: HookState, how: RunHookOptions = {}): Promise<void> {
  const { start = spawn, signal } = how;
  const [argv0 = hook.path, ...args] = hook.args ?? [];
  const child = start(hook.path, args, {
    argv0,
    env: Object.fromEntries((hook.env ?? []).map(splitVariable)),
    cwd: state.bundle === "" ? "/" : state.bundle,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output = collectOutput(child);
  child.stdin.on("error", () => undefined); // A hook need not read its state.
  child.stdin.end(JSON.stringify(state));
  const limit = hook.timeout === undefined ? LONGEST_MS : Number(hook.timeout) * 1000;
  const late = AbortSignal.timeout(limit);
  using _late = onAbort(late, () => child.kill("SIGKILL"));
  using _interruption = onAbort(signal, () => child.kill("SIGKILL"));
  try {
    const how = await ended(child);
    if (late.aborted)
      throw new KataError("KATA_HOOK", `hook ran past specified timeout of ${(limit / 1000).toFixed(1)}s`);
    if (how !== "exit status 0") throw new KataError("KATA_HOOK", `${how}, ${output()}`);
  } finally {
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Describes a hook's end, in the words of Go programs. */
function ended(child: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      reject(new KataError("KATA_HOOK", error.message, { cause: error }));
    });
    child.once("exit", (code, signal) => {
      const how = code === null ? `signal: ${String(signal)}` : `exit status ${String(code)}`;
      const drained = setTimeout(resolve, DRAIN_MS, how);
      child.once("close", () => {
        clearTimeout(drained);
        resolve(how);
      });
    });
  });
}

function collectOutput(child: ChildProcessWithoutNullStreams): () => string {
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      said[name] = `${said[name]}${chunk.toString()}`.slice(-MAX_OUTPUT);
    });
  }
  return () => `stdout: ${said.stdout.trim()}, stderr: ${said.stderr.trim()}`;
}

function splitVariable(variable: string): [string, string] {
  const equals = variable.indexOf("=");
  return equals === -1 ? [variable, ""] : [variable.slice(0, equals), variable.slice(equals + 1)];
}
