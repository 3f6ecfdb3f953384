import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { KataError, reasonOf } from "@kata-ts/virtcontainers";

const DEADLINE_MS = 30_000;
const MAX_OUTPUT = 16 * 1024 * 1024;
/** Characters of what it said last. */
const MAX_WORDS = 500;
/** PATH of a service or a cron job has no sbin, where engines are. */
const USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** An engine's own program failed, or could not be run. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly isMissing: boolean;

  constructor(message: string, isMissing: boolean, cause: unknown) {
    super(message, { cause });
    this.isMissing = isMissing;
  }
}

/** Asks an engine's program, which may take half a minute. @returns what it printed. @throws EngineError */
export async function askEngine(program: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, PATH: `${process.env.PATH ?? ""}:${USUAL_PATH}` };
  try {
    const options = { timeout: DEADLINE_MS, killSignal: "SIGKILL", maxBuffer: MAX_OUTPUT, env } as const;
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    const { code, stderr = "", killed } = error as { code?: unknown; stderr?: string; killed?: boolean };
    const lastWords = stderr
      .trim()
      .replaceAll(/\s*\n\s*/g, " ")
      .slice(-MAX_WORDS);
    const timedOut = `it did not answer within ${String(DEADLINE_MS / 1000)} s`;
    const reason = killed === true ? timedOut : lastWords === "" ? reasonOf(error) : lastWords;
    throw new EngineError(`${program} ${args.join(" ")}: ${reason}`, code === "ENOENT", error);
  }
}

/** What is written is checked by the engine that reads it: without it, nothing is. */
export function engineMissing(program: string, cause: EngineError): KataError {
  return new KataError("KATA_CONFIG", `${program} is not there to check what would be written`, {
    cause,
    hint: `install it, or name it with --program; or add by hand what the command prints without --write`,
  });
}
