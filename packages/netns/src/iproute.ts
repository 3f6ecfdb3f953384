import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { howToInstall, inNamespace, SYSTEM_PATH } from "@kata-ts/linux";
import { NetnsError } from "./errors.ts";

export interface BatchOptions {
  /** Go on after a command that fails, and forgive it. */
  readonly force?: boolean;
  /** Options before the batch, such as `-j`. */
  readonly flags?: readonly string[];
}

const DEADLINE_MS = 10_000;

/**
 * Runs many commands of iproute2 in one process: one line each, without the program's name.
 *
 * @param namespace a path; undefined: the calling thread's
 * @returns what they printed; @throws NetnsError KATA_NETWORK with the command that failed and why
 */
export async function runBatch(
  program: "ip" | "tc",
  namespace: string | undefined,
  commands: readonly string[],
  { force = false, flags = [] }: BatchOptions = {},
): Promise<string> {
  if (commands.length === 0) return "";
  const args = [...flags, ...(force ? ["-force"] : []), "-batch", "-"];
  const start = () =>
    spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
      env: { PATH: SYSTEM_PATH, LANG: "C" },
    });
  const child = namespace === undefined ? start() : inNamespace("net", namespace, start);
  const ended: Promise<{ code: number | null; failure?: Error }> = new Promise((resolve) => {
    child.once("error", (failure) => {
      resolve({ code: null, failure });
    });
    child.once("close", (code) => {
      resolve({ code });
    });
  });
  child.stdin.on("error", () => undefined); // Its exit says why.
  child.stdin.end(`${commands.join("\n")}\n`);
  const [{ code, failure }, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (failure !== undefined) {
    throw new NetnsError("KATA_NETWORK", `${program}: ${failure.message}`, { hint: howToInstall("iproute2") });
  }
  if (code !== 0 && !force) throw new NetnsError("KATA_NETWORK", `${program} ${reason(stderr, commands)}`);
  return stdout;
}

/** The prefixes that mean another question to iproute2 are left out: what is left is the kernel's or the parser's word. */
function reason(stderr: string, commands: readonly string[]): string {
  const line = Number(/Command failed -:(\d+)/.exec(stderr)?.[1] ?? 0);
  const why = stderr
    .split("\n")
    .filter((row) => row !== "" && !row.startsWith("Command failed"))
    .join("; ");
  return `${commands[line - 1] ?? ""}: ${why === "" ? "it was ended" : why}`;
}
