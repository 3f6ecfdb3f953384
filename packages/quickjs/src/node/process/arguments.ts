import { isInOneFile, programArguments } from "kata:native";
import { readlinkSync } from "../fs/names.ts";

/** The engine, the program, and its arguments. A program that is in the engine's file has that file's path twice, as Node's own do. */
export function makeArguments(): string[] {
  const given = programArguments();
  if (!isInOneFile()) return given;
  const path = readlinkSync("/proc/self/exe");
  return [path, path, ...given.slice(1)];
}
