import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "./command.ts";
import type { Kata } from "./kata.ts";
import { DIST } from "./paths.ts";

const LIBEXEC = join(DIST, "libexec", "kata-ts");

/** What a call of kata-runtime has read of its own program. */
export interface Loaded {
  /** What it exited with. */
  readonly status: number | null;
  readonly files: number;
  readonly bytes: number;
  /** All of it. */
  readonly text: string;
}

/** Runs the installed program without its launcher, which lets Node have no such options, and notes what it loads. */
export async function loadedBy(args: readonly string[], kata: Kata): Promise<Loaded> {
  const log = join(kata.directory, "loaded");
  const hooks = `
    import { appendFileSync } from "node:fs";
    import { registerHooks } from "node:module";
    registerHooks({ load: (url, context, next) => {
      appendFileSync(${JSON.stringify(log)}, url + "\\n");
      return next(url, context);
    } });`;
  const flags = ["--import", `data:text/javascript,${encodeURIComponent(hooks)}`, "--"];
  const program = [join(LIBEXEC, "node"), ...flags, join(LIBEXEC, "kata-runtime.mjs"), "--root", kata.root] as const;
  const { exitCode } = await runCommand(program[0], [...program.slice(1), ...args], { detachedStreams: true });
  const urls = new Set(readFileSync(log, "utf8").split("\n"));
  rmSync(log);
  const paths = [...urls].filter((url) => url.startsWith("file:")).map((url) => fileURLToPath(url));
  const texts = paths.filter((path) => path.startsWith(LIBEXEC)).map((path) => readFileSync(path, "latin1"));
  return {
    status: exitCode,
    files: texts.length,
    bytes: texts.reduce((sum, text) => sum + text.length, 0),
    text: texts.join("\n"),
  };
}
