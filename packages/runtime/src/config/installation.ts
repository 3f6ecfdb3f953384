import { existsSync } from "node:fs";
import { join } from "node:path";

/** Beside the directories of VMs: templates do not outlive the host's boot either. */
export const DEFAULT_TEMPLATE_PATH = "/run/kata-ts/template";

/** Where the installed parts are, relative to the bundle that runs: `<prefix>/libexec/kata-ts`. */
export interface Installation {
  readonly proxy: string;
  readonly shim: string;
  readonly runtime: string;
  /** virtiofsd, with libraries of its own. */
  readonly fileDaemon: string;
  readonly share: string;
}

export function findInstallation(libexec: string): Installation {
  return {
    proxy: join(libexec, "kata-proxy"),
    shim: join(libexec, "kata-shim"),
    runtime: join(libexec, "..", "..", "bin", "kata-runtime"),
    fileDaemon: join(libexec, "virtiofsd"),
    share: join(libexec, "..", "..", "share", "kata-ts"),
  };
}

/** Searched in this order; the first that exists is used. */
export function configurationPaths(installation: Installation): readonly string[] {
  return ["/etc/kata-ts/configuration.toml", join(installation.share, "configuration.toml")];
}

/** @throws Error when a path was asked for and is not there; undefined when none of the defaults is */
export function findConfiguration(asked: string | undefined, installation: Installation): string | undefined {
  if (asked !== undefined) return asked;
  return configurationPaths(installation).find((path) => existsSync(path));
}
