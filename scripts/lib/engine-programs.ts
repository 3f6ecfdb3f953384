import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, compileBundle, makeExecutable } from "@kata-ts/quickjs";
import type { Plugin } from "esbuild";
import { ownGrpc } from "./own-grpc.ts";
import { packageDir, ROOT } from "./paths.ts";
import { packagesOf, type Runner } from "./sbom.ts";

export interface EngineProgram {
  /** Compiled JavaScript. */
  readonly entry: string;
  /** The file that it becomes. */
  readonly to: string;
  readonly define?: Readonly<Record<string, string>>;
  readonly plugins?: readonly Plugin[];
}

/** What such a file is made of. */
export interface EngineProgramParts {
  /** Directories of npm packages. */
  readonly npm: readonly string[];
  readonly runner: Runner;
}

/** Before the program's own modules. It stands for what a launcher does for Node. */
const FIRST = join(import.meta.dirname, "drop-environment.ts");

/** Makes one file of a program and the engine that runs it: a process of it has the program's own name. */
export async function makeEngineProgram(options: EngineProgram): Promise<EngineProgramParts> {
  const { entry, to, define = {}, plugins = [] } = options;
  // Compiled a moment ago: not there when this file was loaded.
  const { prepareScriptEngine } = await import("@kata-ts/guest-image");
  const engine = await prepareScriptEngine({ native: join(packageDir("quickjs"), "native") });
  const work = await mkdtemp(join(tmpdir(), "kata-ts-program-"));
  try {
    const [bundled, bytecode] = [join(work, "program.js"), join(work, "program.kjs")];
    const metafile = await bundle([FIRST, entry], bundled, {
      absWorkingDir: ROOT,
      define: { ...define },
      plugins: [ownGrpc, ...plugins],
      minifySyntax: true,
    });
    await compileBundle(engine.program, bundled, bytecode);
    await makeExecutable(engine.program, bytecode, to);
    return { npm: packagesOf(metafile), runner: engine.source };
  } finally {
    await rm(work, { recursive: true });
  }
}
