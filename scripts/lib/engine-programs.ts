import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BundleInParts, bundleInParts, compileBundle, makeExecutable } from "@kata-ts/quickjs";
import type { Plugin } from "esbuild";
import { engineLacks } from "./engine-lacking.ts";
import { ownGrpc } from "./own-grpc.ts";
import { packageDir, ROOT } from "./paths.ts";
import { postByNode } from "./post-by-node.ts";
import { packagesOf, type Runner } from "./sbom.ts";

export interface EngineProgram {
  /** Compiled JavaScript. */
  readonly entry: string;
  /** The file that it becomes. */
  readonly to: string;
  readonly define?: Readonly<Record<string, string>>;
  readonly plugins?: readonly Plugin[];
  /** For stacks: none is in the program. */
  readonly sourcemap?: "external";
  /** Evaluated before it. */
  readonly before?: readonly string[];
  /** Changes the modules that it is compiled of. */
  readonly edit?: (modules: readonly string[]) => Promise<void>;
}

/** What such a file is made of. */
export interface EngineProgramParts {
  /** Directories of npm packages. */
  readonly npm: readonly string[];
  readonly runner: Runner;
}

/** Before the program's own modules. It stands for what the launcher of `kata` does. */
const FIRST = join(import.meta.dirname, "drop-environment.ts");

/** Bundles a program, as makeEngineProgram() does. @param directory for its modules */
export async function bundleProgram(options: Omit<EngineProgram, "to">, directory: string): Promise<BundleInParts> {
  const { entry, define = {}, plugins = [], before = [], sourcemap } = options;
  return bundleInParts([FIRST, ...before, entry], directory, {
    absWorkingDir: ROOT,
    define: { ...define },
    plugins: [ownGrpc, postByNode, ...plugins],
    minifySyntax: true,
    lacking: await engineLacks((await prepareEngine()).program),
    ...(sourcemap === undefined ? {} : { sourcemap }),
  });
}

/** Makes one file of a program and the engine that runs it: a process of it has the program's own name. */
export async function makeEngineProgram(options: EngineProgram): Promise<EngineProgramParts> {
  const engine = await prepareEngine();
  const work = await mkdtemp(join(tmpdir(), "kata-ts-program-"));
  try {
    const bytecode = join(work, "program.kjs");
    const { metafile, modules } = await bundleProgram(options, join(work, "modules"));
    await options.edit?.(modules);
    await compileBundle(engine.program, modules, bytecode);
    await makeExecutable(engine.program, bytecode, options.to);
    return { npm: packagesOf(metafile), runner: engine.source };
  } finally {
    await rm(work, { recursive: true });
  }
}

async function prepareEngine() {
  // Compiled a moment ago: not there when this file was loaded.
  const { prepareScriptEngine } = await import("@kata-ts/guest-image");
  return prepareScriptEngine({ native: join(packageDir("quickjs"), "native") });
}
