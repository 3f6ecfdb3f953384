import { globSync, readFileSync } from "node:fs";
import { runCommand } from "../harness/command.ts";

/** A suite of Debian that hosts are made of. */
export type Suite = "bullseye" | "bookworm" | "trixie" | "forky";

/** Debian's keyring has the keys of all its suites, also on an older release. */
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The mirror that this machine's own package sources name. @throws Error when they name none */
export function debianMirror(): string {
  return mirrorOf("debian");
}

function mirrorOf(archive: "debian" | "debian-security"): string {
  const files = ["/etc/apt/sources.list", ...globSync("/etc/apt/sources.list.d/*.{list,sources}")];
  const lines = files.flatMap(readLines).filter((line) => /^(?:deb |URIs:)/.test(line));
  const found = lines.map((line) => new RegExp(`https?://\\S*/${archive}(?=/?(?:\\s|$))`).exec(line)?.[0]);
  const mirror = found.find((url) => url !== undefined);
  if (mirror === undefined) throw new Error(`the package sources of this machine name no mirror of ${archive}`);
  return mirror;
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

/**
 * A line of sources.list. apt refuses what is not signed with a key of Debian's. How old the index is does not matter to a
 * test: a mirror may stand still, and that of a testing suite expires within days.
 */
export function sourceOf(suite: Suite): string {
  return source(debianMirror(), suite);
}

/** sources.list as Debian's installer writes it: the suite, its updates and its security fixes. */
export function installedSources(suite: Suite): string {
  return `${source(debianMirror(), suite)}${source(debianMirror(), `${suite}-updates`)}${source(mirrorOf("debian-security"), `${suite}-security`)}`;
}

function source(mirror: string, suite: string): string {
  return `deb [signed-by=${KEYRING} check-valid-until=no] ${mirror} ${suite} main\n`;
}

/** The proxies that this machine's apt goes through, as options of mmdebstrap. */
export async function proxyOptions(): Promise<string[]> {
  const { stdout } = await runCommand("apt-config", ["dump"]);
  const proxies = stdout.split("\n").filter((line) => /^Acquire::https?::(?:Proxy|CaInfo)\b/i.test(line));
  return proxies.map((line) => `--aptopt=${line}`);
}
