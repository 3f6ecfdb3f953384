import { globSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { packageDir, ROOT } from "./paths.ts";
import { isUpToDate, PBJS_FLAGS, PBJS_SMALL } from "./pbjs.ts";
import { tool } from "./run.ts";

/** The codecs of containerd-shim, in one module: a shim that serves a pod needs most of them. Skipped when up to date. */
export async function generateContainerd(): Promise<void> {
  const dir = packageDir("containerd-shim");
  const protos = globSync("*.proto", { cwd: join(dir, "proto") })
    .sort()
    .map((name) => join(dir, "proto", name));
  const scripts = ["generate-containerd.ts", "pbjs.ts"].map((name) => join(ROOT, "scripts", "lib", name));
  const out = join(dir, "gen", "containerd.js");
  if (await isUpToDate(out, [...protos, ...scripts])) return;
  await mkdir(join(dir, "gen"), { recursive: true });
  const temporary = await mkdtemp(join(dir, "gen", "tmp-"));
  const input = ["-r", "containerd", "-p", join(dir, "proto"), ...protos];
  await tool("pbjs", [...PBJS_FLAGS, "-d", "-o", join(temporary, "typed.js"), ...input]);
  await copyFile(join(temporary, "typed.d.ts"), join(dir, "gen", "containerd.d.ts"));
  await tool("pbjs", [...PBJS_FLAGS, ...PBJS_SMALL, "-o", join(temporary, "small.js"), ...input]);
  await copyFile(join(temporary, "small.js"), out);
  await rm(temporary, { recursive: true });
}
