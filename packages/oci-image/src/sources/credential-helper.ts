import { spawn } from "node:child_process";
import { ImageError } from "../errors.ts";
import { shown } from "../text.ts";

const HELPER_DEADLINE_MS = 30_000;
const MAX_ANSWER_BYTES = 65_536;
const NOT_FOUND = /credentials not found/i;

/** Whether a helper has said that it knows nothing of a registry. */
export function knowsNothing(output: string): boolean {
  return NOT_FOUND.test(output);
}

/**
 * `docker-credential-NAME ACTION`.
 *
 * @param action `get`, `store` or `erase`
 * @param input the registry's key, or JSON for `store`
 * @throws ImageError KATA_IMAGE_REGISTRY where it cannot be run, or does not end
 */
export function runHelper(
  name: string,
  action: "get" | "store" | "erase",
  input: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) throw broken(program, "such a name has no helper");
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.any([AbortSignal.timeout(HELPER_DEADLINE_MS), ...(signal === undefined ? [] : [signal])]);
    const stdio = ["pipe", "pipe", "inherit"] as const;
    const child = spawn(program, [action], { stdio: [...stdio], signal: limit, killSignal: "SIGKILL" });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
    });
    child.on("error", (error) => {
      reject(broken(program, error.name === "AbortError" ? "it was ended: it took too long" : error.message, error));
    });
    child.on("close", (status) => {
      resolve({ status, output: Buffer.concat(chunks).toString() });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** What a helper has said where it has failed. */
export function helperFailure(name: string, status: number | null, output: string): ImageError {
  return broken(`docker-credential-${name}`, output.trim() === "" ? `it ends with ${String(status)}` : output.trim());
}

/** @param what a file or a helper */
export function broken(what: string, reason: string, cause?: unknown): ImageError {
  return new ImageError("KATA_IMAGE_REGISTRY", `credentials of a registry: ${what}: ${shown(reason)}`, { cause });
}
