import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { execa } from "execa";
import { builtins } from "./builtins.ts";
import { directImports } from "./direct-imports.ts";
import { engineOf } from "./engine-choice.ts";
import { makeEngineProgram } from "./engine-programs.ts";
import { copyKoffi } from "./koffi.ts";
import { writeLauncher } from "./launcher.ts";
import { DIST, packageDir, ROOT } from "./paths.ts";
import { packagesOf, type Runner } from "./sbom.ts";

/** For CommonJS inside an ES module bundle, which is grpc-js. */
const REQUIRE =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);\n';

/** What users and engines call, by packages, each with its entry points; those of one package share their code. */
const CALLED = {
  "runtime-cli": { "kata-runtime": "bin.js", kata: "kata.js" },
  "containerd-shim": { "containerd-shim-kata-v2": "bin.js" },
} as const;

/** What those start: in libexec. */
const STARTED = [
  { packageName: "proxy", program: "kata-proxy" },
  { packageName: "shim", program: "kata-shim" },
] as const;

/** A call ends before this is full: its four collections of garbage took 15 ms of 170, and collected nothing. */
const SHORT_LIVED = ["--min-semi-space-size=16"];

/** What the programs are made of. */
export interface ProgramParts {
  /** Directories of npm packages. */
  readonly npm: readonly string[];
  readonly runners: readonly Runner[];
}

/**
 * Assembles the programs of the installable tree: bin, libexec, and what runs them.
 *
 * @param node a directory with a Node, and the library that it needs
 */
export async function bundlePrograms(node: string): Promise<ProgramParts> {
  const libexec = join(DIST, "libexec", "kata-ts");
  await rm(libexec, { recursive: true, force: true });
  await mkdir(join(DIST, "bin"), { recursive: true });
  await mkdir(libexec, { recursive: true });
  const npm: string[] = [];
  const runners: Runner[] = ["node"];
  const define = { KATA_TS_COMMIT: JSON.stringify(await commit()) };
  for (const [name, programs] of Object.entries(CALLED)) npm.push(...(await bundle(name, programs, libexec, define)));
  npm.push(...(await copyKoffi(join(libexec, "node_modules"))));
  for (const file of ["node", "libatomic.so.1"]) await copyFile(join(node, file), join(libexec, file));
  for (const program of ["kata-runtime", "kata"]) {
    const pulls = program === "kata";
    await writeLauncher(join(DIST, "bin", program), {
      program,
      libexec: "../libexec/kata-ts",
      flags: SHORT_LIVED,
      pulls,
      passesLimits: true,
    });
  }
  // containerd looks for it where the other programs for users are.
  await writeLauncher(join(DIST, "bin", "containerd-shim-kata-v2"), {
    program: "containerd-shim-kata-v2",
    libexec: "../libexec/kata-ts",
    flags: [],
    pulls: false,
    passesLimits: true,
  });
  for (const { packageName, program } of STARTED) {
    if (engineOf(program) === "quickjs") {
      const entry = join(packageDir(packageName), "dist", "bin.js");
      const made = await makeEngineProgram({ entry, to: join(libexec, program), define, plugins: [directImports] });
      npm.push(...made.npm);
      runners.push(made.runner);
    } else {
      npm.push(...(await bundle(packageName, { [program]: "bin.js" }, libexec, define)));
      const options = { flags: [], pulls: false, passesLimits: false };
      await writeLauncher(join(libexec, program), { program, libexec: ".", ...options });
    }
  }
  await warmCompileCache(libexec);
  return { npm, runners };
}

async function commit(): Promise<string> {
  const head = await execa("git", ["rev-parse", "--short", "HEAD"], { cwd: ROOT, reject: false });
  return head.failed ? "unknown" : head.stdout;
}

/** Split, so that a verb of kata-runtime, or a shim, loads only what it needs. */
async function bundle(
  packageName: string,
  programs: Readonly<Record<string, string>>,
  libexec: string,
  define: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { outputFiles, metafile } = await build({
    entryPoints: Object.fromEntries(
      Object.entries(programs).map(([program, file]) => [program, join(packageDir(packageName), "dist", file)]),
    ),
    outdir: libexec,
    outExtension: { ".js": ".mjs" },
    chunkNames: `${packageName}-[hash]`,
    splitting: packageName !== "proxy",
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node26",
    external: ["koffi"],
    plugins: [directImports, builtins],
    define: { ...define },
    logLevel: "warning",
    metafile: true,
    write: false,
  });
  for (const { path, text } of outputFiles) {
    await writeFile(path, text.includes("typeof require") ? REQUIRE + text : text);
  }
  return packagesOf(metafile);
}

/** Node keeps compiled code of the bundles here; made now, because an installed tree may be read-only. */
async function warmCompileCache(libexec: string): Promise<void> {
  await execa(join(DIST, "bin", "kata-runtime"), ["--version"]);
  await execa(join(DIST, "bin", "kata"), ["--help"]);
  for (const program of ["kata-proxy", "kata-shim"]) await execa(join(libexec, program), ["-version"]);
  await execa(join(DIST, "bin", "containerd-shim-kata-v2"), ["-v"]);
  for (const args of [
    ["list"],
    ["state", "none"],
    ["delete", "--force", "none"],
    ["create", "-b", "/nonexistent", "none"],
    ["exec", "none", "true"],
    ["kill", "none"],
  ]) {
    await execa(join(DIST, "bin", "kata-runtime"), ["--root", join(libexec, "no-root"), ...args], { reject: false });
  }
  if ((await readdir(join(libexec, "cache")).catch(() => [])).length === 0)
    throw new Error("no compile cache was made");
}
