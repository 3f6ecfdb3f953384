import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { execa } from "execa";

export interface PublishOptions {
  /** That of npm's configuration by default. */
  readonly registry?: string;
  /** Signs where each was built: needs a CI service that npm knows. */
  readonly provenance?: boolean;
  /** Of npm's; a registry needs credentials. */
  readonly env?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * Publishes packed packages, which are what was checked, byte for byte; each after those that it depends on, so that every package
 * that is there can be installed. What the registry has already is left as it is: a release that was interrupted is begun again.
 *
 * @returns the names of the files that were published
 * @throws Error where the registry has another package of this name and version
 */
export async function publishAll(tarballs: readonly string[], options: PublishOptions = {}): Promise<string[]> {
  const { registry, provenance = false, env = {} } = options;
  const at = registry === undefined ? [] : ["--registry", registry];
  const published: string[] = [];
  for (const { tarball, name, version } of await inOrder(tarballs)) {
    if (version === "0.0.0") throw new Error(`${name} has no version yet: npm run release:version`);
    const found = await execa("npm", ["view", `${name}@${version}`, "dist.integrity", ...at], { reject: false, env });
    if (found.stdout === (await integrityOf(tarball))) continue;
    if (found.stdout !== "") throw new Error(`the registry has another ${name}@${version}: ${found.stdout}`);
    if (found.failed && !found.stderr.includes("E404")) throw new Error(`asking for ${name}: ${found.stderr}`);
    const args = ["publish", tarball, "--access", "public", ...(provenance ? ["--provenance"] : []), ...at];
    await execa("npm", args, { env });
    published.push(basename(tarball));
  }
  return published;
}

interface Packed extends Manifest {
  readonly tarball: string;
}

async function inOrder(tarballs: readonly string[]): Promise<readonly Packed[]> {
  const waiting: Map<string, Packed> = new Map();
  for (const tarball of tarballs) {
    const manifest = await manifestOf(tarball);
    waiting.set(manifest.name, { ...manifest, tarball });
  }
  const ordered: Packed[] = [];
  const take = (name: string): void => {
    const packed = waiting.get(name);
    if (packed === undefined) return; // Another project's, or taken already.
    waiting.delete(name);
    for (const needed of Object.keys({ ...packed.dependencies, ...packed.optionalDependencies })) take(needed);
    ordered.push(packed);
  };
  for (const name of [...waiting.keys()]) take(name);
  return ordered;
}

async function manifestOf(tarball: string): Promise<Manifest> {
  const { stdout } = await execa("tar", ["--extract", "--to-stdout", "--file", tarball, "package/package.json"]);
  return JSON.parse(stdout) as Manifest;
}

async function integrityOf(tarball: string): Promise<string> {
  const digest = createHash("sha512").update(await readFile(tarball));
  return `sha512-${digest.digest("base64")}`;
}
