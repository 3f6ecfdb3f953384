import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { bundleCommand } from "./bundle-command.ts";
import { directImports } from "./direct-imports.ts";
import { type EngineProgram, makeEngineProgram } from "./engine-programs.ts";
import { packageDir } from "./paths.ts";
import type { Runner } from "./sbom.ts";

interface InstalledProgram {
  readonly program: string;
  readonly packageName: string;
  /** Whether users and engines call it, in bin; others are started by those. */
  readonly isCalled: boolean;
}

/** Those that run on QuickJS. */
const PROGRAMS: readonly InstalledProgram[] = [
  { program: "kata-runtime", packageName: "runtime-cli", isCalled: true },
  // containerd looks for it where the other programs for users are.
  { program: "containerd-shim-kata-v2", packageName: "containerd-shim", isCalled: true },
  { program: "kata-proxy", packageName: "proxy", isCalled: false },
  { program: "kata-shim", packageName: "shim", isCalled: false },
];

/** What the programs are made of. */
export interface ProgramParts {
  /** Directories of npm packages. */
  readonly npm: readonly string[];
  readonly runners: readonly Runner[];
}

/** Puts all programs into a tree whose libexec has Node: `kata`, which runs on that, and the others, each one file with QuickJS. */
export async function placePrograms(tree: string, define: Readonly<Record<string, string>>): Promise<ProgramParts> {
  const [bin, libexec] = [join(tree, "bin"), join(tree, "libexec", "kata-ts")];
  const npm = await bundleCommand(tree, define);
  const runners: Runner[] = ["node"];
  for (const { program, isCalled } of PROGRAMS) {
    const made = await makeEngineProgram({ ...engineProgram(program, define), to: join(libexec, program) });
    npm.push(...made.npm);
    runners.push(made.runner);
    if (isCalled) await symlink(join("../libexec/kata-ts", program), join(bin, program));
  }
  return { npm, runners };
}

/** What such a program is bundled of. @throws Error for what is none */
export function engineProgram(program: string, define: Readonly<Record<string, string>>): Omit<EngineProgram, "to"> {
  const found = PROGRAMS.find((each) => each.program === program);
  if (found === undefined) throw new Error(`${program} is no program that runs on the engine`);
  return { entry: join(packageDir(found.packageName), "dist", "bin.js"), define, plugins: [directImports] };
}
