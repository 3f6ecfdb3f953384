import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { KataError, reasonOf } from "../errors.ts";

/**
 * What starts the kata-proxy of this library's own package, for a VM that may outlive a program which has no other.
 *
 * @throws KataError KATA_UNSUPPORTED where the package's files are not there, as in a program of one file
 */
export function ownProxy(): [program: string, script: string] {
  const script = join(dirname(indexOf("@kata-ts/proxy")), "bin.js");
  if (!existsSync(script)) throw missing(`${script} is not there`);
  return [process.execPath, script];
}

function indexOf(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw missing(reasonOf(error));
  }
}

function missing(why: string): KataError {
  return new KataError("KATA_UNSUPPORTED", `a sandbox that may be detached needs the program kata-proxy: ${why}`, {
    hint: "install @kata-ts/virtcontainers with its dependencies, and do not bundle it into the program",
  });
}
