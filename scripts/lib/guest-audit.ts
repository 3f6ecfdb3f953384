import type { GuestVersions } from "@kata-ts/guest-image";

export interface Audit {
  /** One for each package that has a newer version, and a sum. */
  readonly lines: readonly string[];
  /** How many of them are security fixes. */
  readonly fixes: number;
}

/** @param text of guest-versions.json */
export async function auditGuest(text: string): Promise<Audit> {
  const versions = JSON.parse(text) as GuestVersions;
  // Compiled a moment ago: not there when this file was loaded.
  const { newerPackages } = await import("@kata-ts/guest-image");
  const newer = await newerPackages(versions);
  const fixes = newer.filter(({ security }) => security).length;
  return {
    lines: [
      ...newer.map(
        ({ name, version, candidate, security }) =>
          `${security ? "security fix" : "newer       "}  ${name}  ${version} → ${candidate}`,
      ),
      `The guest of ${versions.day}: ${String(newer.length)} packages have newer versions, ${String(fixes)} of them security fixes.`,
      ...(newer.length === 0 ? [] : ["`npm run guest:update` builds it of today's."]),
    ],
    fixes,
  };
}
