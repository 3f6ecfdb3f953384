import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Candidate, Guest, GuestVersions } from "@kata-ts/guest-image";
import { execa } from "execa";
import { bundleAgent } from "./bundle-agent.ts";
import { packageDir, ROOT } from "./paths.ts";
import { step } from "./run.ts";
import { billOfMaterials } from "./sbom.ts";
import { copySparse } from "./share.ts";

/** Of the package that is filled here: what it has beside its manifest is built, and never in the repository. */
const CONTENT: string = join(packageDir("guest-linux-x64"), "dist");
const FILES = ["vmlinux", "rootfs.ext4", "guest.json", "sbom.cdx.json"] as const;
/** What the packages of Debian that its files are of say of their licences. */
const LICENCES = "licences";

export function guestPackageIsBuilt(): boolean {
  return [...FILES, LICENCES].every((file) => existsSync(join(CONTENT, file)));
}

/**
 * Fills the package that `@kata-ts/guest` boots from: the tuned kernel, and the image. Equal sources give equal files. The packages have to be compiled.
 */
export async function buildGuestPackage(): Promise<void> {
  const directory = join(ROOT, "dist", "guest-agent");
  const agent = await step("bundling the published guest's agent", () => bundleAgent(directory));
  const guest = await step("preparing the published guest", () => prepare(directory));
  await rm(CONTENT, { recursive: true, force: true });
  await mkdir(CONTENT);
  const [kernel, image] = [join(CONTENT, "vmlinux"), join(CONTENT, "rootfs.ext4")];
  await copyFile(guest.kernelPath, kernel);
  await copySparse(guest.imagePath, image);
  const { versions } = guest;
  const npm = { guest: agent.npm, host: [] };
  const materials = { versions, hostPackages: [], npm, runners: { guest: [agent.runner], host: [] } };
  await writeFile(join(CONTENT, "sbom.cdx.json"), await billOfMaterials(materials));
  const { suite, day, kernel: source } = versions;
  const manifest = {
    format: 1,
    kernel: await describe(kernel),
    image: await describe(image),
    versions: { suite, day, kernel: { name: source.name, version: source.version } },
  };
  await writeFile(join(CONTENT, "guest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await cp(await licencesOf(versions, [agent.runner]), join(CONTENT, LICENCES), { recursive: true });
  // The builder's umask is not part of the package.
  for (const file of FILES) await chmod(join(CONTENT, file), 0o644);
  await execa("chmod", ["-R", "u=rwX,go=rX", join(CONTENT, LICENCES)]);
}

async function licencesOf(versions: GuestVersions, compiled: readonly Candidate[]): Promise<string> {
  const { prepareLicences } = await import("@kata-ts/guest-image");
  return step("gathering the licences of the published guest", () => prepareLicences({ versions, compiled }));
}

async function prepare(agentDir: string): Promise<Guest> {
  // Compiled a moment ago: not there when this file was loaded.
  const { prepareGuest } = await import("@kata-ts/guest-image");
  const onProgress = (line: string): void => void process.stdout.write(`  ${line}\n`);
  return prepareGuest({ agentDir, kernel: "tuned", onProgress });
}

async function describe(file: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return { bytes: (await stat(file)).size, sha256: hash.digest("hex") };
}
