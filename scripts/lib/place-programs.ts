import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { directImports } from "./direct-imports.ts";
import { type Engine, engineOf, isEngineProgram } from "./engine-choice.ts";
import { type EngineProgram, makeEngineProgram } from "./engine-programs.ts";
import { writeLauncher } from "./launcher.ts";
import { bundleForNode } from "./node-programs.ts";
import { packageDir } from "./paths.ts";
import type { Runner } from "./sbom.ts";

interface InstalledProgram {
  readonly program: string;
  readonly packageName: string;
  /** Below the package's dist. */
  readonly entry: string;
  /** Whether users and engines call it, in bin; others are started by those. */
  readonly isCalled: boolean;
  /** It fetches images, and stays on Node. */
  readonly pulls?: boolean;
}

/** From bin. */
const IN_LIBEXEC = "../libexec/kata-ts";

const CLI = { packageName: "runtime-cli", isCalled: true } as const;
const PROGRAMS: readonly InstalledProgram[] = [
  { program: "kata-runtime", entry: "bin.js", ...CLI },
  { program: "kata", entry: "kata.js", pulls: true, ...CLI },
  // containerd looks for it where the other programs for users are.
  { program: "containerd-shim-kata-v2", packageName: "containerd-shim", entry: "bin.js", isCalled: true },
  { program: "kata-proxy", packageName: "proxy", entry: "bin.js", isCalled: false },
  { program: "kata-shim", packageName: "shim", entry: "bin.js", isCalled: false },
];

/** What the programs are made of. */
export interface ProgramParts {
  /** Directories of npm packages. */
  readonly npm: readonly string[];
  readonly runners: readonly Runner[];
}

/**
 * Puts all programs into a tree whose libexec has Node: each is a bundle for that with a launcher, or one file with QuickJS.
 *
 * @param engine of all that can leave Node, where it is not the one that the build has been asked for
 */
export async function placePrograms(
  tree: string,
  define: Readonly<Record<string, string>>,
  engine?: Engine,
): Promise<ProgramParts> {
  const [bin, libexec] = [join(tree, "bin"), join(tree, "libexec", "kata-ts")];
  const npm: string[] = [];
  const runners: Runner[] = ["node"];
  const onEngine = PROGRAMS.filter(
    ({ program }) => isEngineProgram(program) && (engine ?? engineOf(program)) === "quickjs",
  );
  const onNode = PROGRAMS.filter((each) => !onEngine.includes(each));
  // Those of one package share their code.
  for (const [name, group] of Map.groupBy(onNode, ({ packageName }) => packageName)) {
    const entries = Object.fromEntries(group.map(({ program, entry }) => [program, entry]));
    npm.push(...(await bundleForNode(name, entries, libexec, define)));
  }
  for (const { program, isCalled, pulls = false } of onNode) {
    const path = join(isCalled ? bin : libexec, program);
    await rm(path, { force: true });
    const place = isCalled ? IN_LIBEXEC : ".";
    await writeLauncher(path, { program, libexec: place, pulls, passesLimits: isCalled });
  }
  for (const { program, isCalled } of onEngine) {
    const made = await makeEngineProgram({ ...engineProgram(program, define), to: join(libexec, program) });
    npm.push(...made.npm);
    runners.push(made.runner);
    if (isCalled) await symlink(join(IN_LIBEXEC, program), join(bin, program));
  }
  return { npm, runners };
}

/** What such a program is bundled of. @throws Error for what cannot be one */
export function engineProgram(program: string, define: Readonly<Record<string, string>>): Omit<EngineProgram, "to"> {
  const found = PROGRAMS.find((each) => each.program === program && isEngineProgram(program));
  if (found === undefined) throw new Error(`${program} is no program that runs on the engine`);
  return { entry: join(packageDir(found.packageName), "dist", found.entry), define, plugins: [directImports] };
}
