import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { EditableSpec } from "./bundle.ts";
import type { Kata } from "./kata.ts";
import { ROOT } from "./paths.ts";

/** A root file system that has this machine's own programs, once `withHostPrograms` has mounted them. */
export function hostProgramsImage(kata: Kata): string {
  const image = join(kata.directory, "host-programs");
  if (existsSync(image)) return image;
  for (const name of ["usr", "proc", "sys", "dev", "etc", "tmp", "harness"]) {
    mkdirSync(join(image, name), { recursive: true, mode: name === "tmp" ? 0o1777 : 0o755 });
  }
  for (const name of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(image, name));
  return image;
}

/** Mounts this machine's programs, and those of the harness at /harness. */
export function withHostPrograms(spec: EditableSpec): void {
  const bind = (source: string, destination: string) => ({
    destination,
    type: "bind",
    source,
    options: ["rbind", "ro"],
  });
  spec.mounts.push(bind("/usr", "/usr"), bind(join(ROOT, "e2e/harness"), "/harness"));
  spec.root.readonly = false;
}

export function volume(source: string, destination: string, ...options: string[]): EditableSpec["mounts"][number] {
  return { destination, type: "bind", source, options: ["rbind", ...options] };
}
