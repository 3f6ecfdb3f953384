import { accessSync, constants, statSync } from "node:fs";

/** The first that can be run; else the first. */
export function findProgram(paths: readonly [string, ...string[]]): string {
  return paths.find(isProgram) ?? paths[0];
}

/** Whether it is a file that can be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
