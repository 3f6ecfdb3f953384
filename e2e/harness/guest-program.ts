import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NODE_BINARY } from "../../scripts/lib/paths.ts";
import type { EditableSpec } from "./bundle.ts";
import type { CommandResult } from "./command.ts";
import type { Kata } from "./kata.ts";
import { ROOT } from "./paths.ts";

const EVERYTHING = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE", "KILL"].map((name) => `CAP_${name}`);

/**
 * Runs one of the harness's programs with this machine's own programs around it, in a container of a guest: for what the
 * guest's kernel has and this machine's may lack.
 */
export async function runInGuest(
  kata: Kata,
  [program, ...args]: readonly [string, ...string[]],
  edit: (spec: EditableSpec) => void = () => undefined,
): Promise<CommandResult> {
  const image = mkdtempSync(join(tmpdir(), "kata-e2e-host-programs-"));
  try {
    for (const name of ["usr", "proc", "sys", "dev", "etc", "tmp"]) mkdirSync(join(image, name));
    for (const name of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(image, name));
    const bundle = await kata.bundle({
      image,
      args: [NODE_BINARY, join(ROOT, "e2e/harness", program), ...args],
      edit: (spec) => {
        const bind = (path: string) => ({ destination: path, type: "bind", source: path, options: ["rbind", "ro"] });
        spec.mounts.push(bind("/usr"), bind(ROOT));
        spec.process.capabilities = { bounding: EVERYTHING, effective: EVERYTHING, permitted: EVERYTHING };
        const linux = spec.linux as Record<string, unknown>;
        linux.readonlyPaths = [];
        linux.maskedPaths = [];
        edit(spec);
      },
    });
    return await kata.run(["run", "--bundle", bundle.path, kata.id()]);
  } finally {
    rmSync(image, { recursive: true });
  }
}
