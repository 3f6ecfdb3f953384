import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostSuite } from "./suites.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** apt's sources of a suite, from the mirrors that this machine uses for its own. */
export function sourcesOf(suite: HostSuite): string {
  const urls = mirrorUrls();
  const archive = mirror(urls, "debian");
  const security = mirror(urls, "debian-security");
  const line = (url: string, name: string): string => `deb [signed-by=${KEYRING}] ${url} ${name} main\n`;
  return line(archive, suite) + line(archive, `${suite}-updates`) + line(security, `${suite}-security`);
}

function mirror(urls: readonly string[], archive: string): string {
  const found = urls.find((url) => url.endsWith(`/${archive}`));
  if (found !== undefined) return found;
  throw new Error(`the package sources of this machine name no mirror of ${archive}`);
}

function mirrorUrls(): string[] {
  const directory = "/etc/apt/sources.list.d";
  const files = ["/etc/apt/sources.list", ...names(directory).map((name) => join(directory, name))];
  return files.flatMap((file) => textOf(file).match(/https?:\/\/[^\s\]]+/g) ?? []).map((url) => url.replace(/\/$/, ""));
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8").replaceAll(/^\s*#.*$/gm, "");
  } catch {
    return "";
  }
}
