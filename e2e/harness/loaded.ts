import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { directImports } from "../../scripts/lib/direct-imports.ts";
import { makeEngineProgram } from "../../scripts/lib/engine-programs.ts";
import { packageDir } from "../../scripts/lib/paths.ts";
import { runCommand } from "./command.ts";
import type { Kata } from "./kata.ts";
import { DIST } from "./paths.ts";

const LIBEXEC = join(DIST, "libexec", "kata-ts");

/** What a call of kata-runtime has read of its own program. */
interface Loaded {
  /** What it exited with. */
  readonly status: number | null;
  readonly files: number;
  readonly bytes: number;
  /** All of it. */
  readonly text: string;
}

/** The installed kata-runtime, made anew such that it can be seen what a call of it loads. */
export interface Observed {
  /** All that it has. */
  readonly text: string;
  /** Runs it, and notes what it loads. */
  loadedBy(args: readonly string[], kata: Kata): Promise<Loaded>;
}

/**
 * The installed program is one file, and says of none of its modules that it is read: here each one says so when it is evaluated.
 *
 * @param directory for what is made
 */
export async function observedRuntime(directory: string): Promise<Observed> {
  const log = join(directory, "loaded");
  const report = join(directory, "report.js");
  await writeFile(
    report,
    `import { writeFileSync } from "node:fs";
     process.on("exit", () => writeFileSync(${JSON.stringify(log)}, globalThis.__loaded.join("\\n")));`,
  );
  const libexec = join(directory, "tree", "libexec", "kata-ts");
  await mkdir(libexec, { recursive: true });
  await symlink(join(DIST, "share"), join(directory, "tree", "share"));
  for (const name of await readdir(LIBEXEC)) {
    if (name !== "kata-runtime") await symlink(join(LIBEXEC, name), join(libexec, name));
  }
  const texts: Map<string, string> = new Map();
  await makeEngineProgram({
    entry: join(packageDir("runtime-cli"), "dist", "bin.js"),
    to: join(libexec, "kata-runtime"),
    define: { KATA_TS_COMMIT: '"unknown"' },
    plugins: [directImports],
    before: [report],
    edit: async (modules) => {
      for (const module of modules) {
        const text = await readFile(module, "latin1");
        texts.set(basename(module), text);
        await writeFile(
          module,
          `(globalThis.__loaded ??= []).push(${JSON.stringify(basename(module))});\n${text}`,
          "latin1",
        );
      }
    },
  });
  return {
    text: [...texts.values()].join("\n"),
    loadedBy: async (args, kata) => {
      const program = join(libexec, "kata-runtime");
      const { exitCode } = await runCommand(program, ["--root", kata.root, ...args], { detachedStreams: true });
      return summary(
        exitCode,
        linesOf(log).map((name) => texts.get(name) ?? ""),
      );
    },
  };
}

function linesOf(log: string): string[] {
  const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
  rmSync(log, { force: true });
  return [...new Set(lines)];
}

function summary(status: number | null, texts: readonly string[]): Loaded {
  return {
    status,
    files: texts.length,
    bytes: texts.reduce((sum, text) => sum + text.length, 0),
    text: texts.join("\n"),
  };
}
