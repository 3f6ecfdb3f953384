import { resolve } from "node:path";
import type { ContainerConfig } from "@kata-ts/virtcontainers";
import { type Options, type OptionTable, UsageError } from "../arguments/parse.ts";
import { parseBytes } from "./update-options.ts";

/** Where a detached container's output goes. */
export const OUTPUT_OPTIONS: OptionTable = {
  "output-file": { type: "string", value: "FILE", about: "both outputs go there, and to FILE.1 and so on, in turn" },
  "output-size": { type: "string", value: "SIZE", about: "of each of these files, 10m by default" },
  "output-files": { type: "string", value: "N", about: "how many of them there are, 3 by default" },
};

/** @throws UsageError */
export function outputFilesOf(options: Options, terminal: boolean): ContainerConfig["output"] {
  const path = options.text("output-file");
  if (path === undefined) return undefined;
  if (terminal) throw new UsageError("--output-file: the output of a process with a terminal is the terminal's");
  const maxBytes = parseBytes(options.text("output-size") ?? "10m", "output-size");
  const maxFiles = Number(options.text("output-files") ?? "3");
  if (maxBytes <= 0) throw new UsageError("--output-size takes a size above 0");
  if (!Number.isInteger(maxFiles) || maxFiles < 1) throw new UsageError("--output-files takes a number above 0");
  return { path: resolve(path), maxBytes, maxFiles };
}
