import { KataError } from "@kata-ts/virtcontainers/records";
import type { Options } from "./options.ts";

export interface ConfigurationFile {
  readonly path: string;
  readonly text: string;
}

/** What configuration.toml and its drop-ins say. */
export interface LoadedOptions {
  readonly options: Options;
  /** In the order in which they were read; a later one overrides. */
  readonly files: readonly ConfigurationFile[];
  /** `FILE: unknown option NAME is ignored`. */
  readonly warnings: readonly string[];
}

/** The error of a file that cannot be used. */
export function wrongFile(path: string, reason: string, cause: unknown): KataError {
  return new KataError("KATA_CONFIG", `configuration ${path}: ${reason}`, { cause, hint: "see docs/configuration.md" });
}
