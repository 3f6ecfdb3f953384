import { execa } from "execa";
import { GuestImageError } from "../errors.ts";

export interface Mirrors {
  readonly main: string;
  readonly security: string;
}

/**
 * Where to fetch Debian from: `$KATA_TS_DEBIAN_MIRROR` and `$KATA_TS_DEBIAN_SECURITY_MIRROR`, else the host's own
 * mirrors of Debian. Another distribution's mirrors do not have the suite.
 *
 * @throws GuestImageError where neither is there
 */
export async function debianMirrors(): Promise<Mirrors> {
  const { KATA_TS_DEBIAN_MIRROR: main, KATA_TS_DEBIAN_SECURITY_MIRROR: security } = process.env;
  const host = mirrorsIn(await hostSources());
  return {
    main: required("KATA_TS_DEBIAN_MIRROR", main, host.main),
    security: required("KATA_TS_DEBIAN_SECURITY_MIRROR", security, host.security),
  };
}

function required(variable: string, named: string | undefined, found: string | undefined): string {
  const mirror = named === "" ? found : (named ?? found);
  if (mirror !== undefined) return mirror;
  throw new GuestImageError("the package sources of this machine name no mirror of Debian", `name one by ${variable}`);
}

/**
 * One line for each index that apt knows, with site, release and label, and then one without a label for each release that it
 * would fetch: before the first `apt-get update` there is no index, and a testing suite's security fixes never have one.
 */
async function hostSources(): Promise<string> {
  const format = "$(SITE) $(RELEASE) $(LABEL)";
  const known = await ask("indextargets", "--format", format, "Created-By: Packages");
  return `${known}\n${releasesIn(await ask("update", "--print-uris"))}`;
}

async function ask(...args: readonly string[]): Promise<string> {
  const { stdout } = await execa("apt-get", args, {
    reject: false,
    stdin: "ignore",
    stderr: "ignore",
    env: { LC_ALL: "C" },
  });
  return stdout;
}

/** Of what `apt-get update --print-uris` says. Exported for tests. */
export function releasesIn(uris: string): string {
  const found = uris.matchAll(/^'(\S+)\/dists\/(\S+)\/InRelease' /gm);
  return [...found].map(([, site = "", release = ""]) => `${site} ${release} `).join("\n");
}

/** Exported for tests. */
export function mirrorsIn(sources: string): Partial<Mirrors> {
  const found: { main?: string; security?: string } = {};
  for (const line of sources.split("\n")) {
    const [site = "", release = "", label = ""] = line.split(" ");
    if (!/^https?:\/\//.test(site)) continue;
    const security = label === "Debian-Security" || (label === "" && /\/debian-security\/?$/.test(site));
    const main = label === "Debian" || (label === "" && /\/debian\/?$/.test(site));
    if (security) found.security ??= site;
    else if (main && !release.includes("backports")) found.main ??= site;
  }
  return found;
}
