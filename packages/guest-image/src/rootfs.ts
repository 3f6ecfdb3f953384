import { chmod, copyFile, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { AGENT_DIRECTORY, checkAgent } from "./agent-directory.ts";
import type { Candidate } from "./archive/candidate.ts";
import {
  baseFirst,
  describePackages,
  type FetchedPackage,
  type PackageEntry,
  readPackages,
  unpackPackage,
} from "./archive/packages.ts";
import { SUITE } from "./archive/suite.ts";
import { cachedDir, contentKey, fileDigest, treeDigest } from "./cache.ts";
import { writeExt4 } from "./ext4.ts";
import { installCrun } from "./fixed-crun.ts";
import { keepNeeded } from "./needed-files.ts";
import type { ImageTools } from "./tools.ts";

/** Files of the guest that are written by hand. */
const TEMPLATE_DIR = fileURLToPath(new URL("../rootfs", import.meta.url));

/** Changes when an image is made in another way than before. */
const FORMAT = "12";

/** What goes into the guest's root file system from the distribution, with all that it depends on. */
const PACKAGES = [...["base-files", "busybox-static", "procps", "crun", "runc", "tini", "iproute2"]] as const;

/** For maintainer scripts, and for programs of these packages that the guest does not run. */
const NOT_NEEDED: ReadonlySet<string> = new Set([
  ...["debconf", "init-system-helpers", "gcc-14-base", "libcap2-bin", "libdb5.3t64"],
  ...["libtirpc-common", "libtirpc3t64", "libgssapi-krb5-2", "libkrb5-3", "libkrb5support0", "libk5crypto3"],
  ...["libkeyutils1", "libcom-err2", "libssl3t64", "openssl-provider-legacy"],
]);

/** Of those, what the guest runs, below /usr: with shared libraries, and without. */
const DYNAMIC = ["bin/crun", "sbin/runc", "bin/ps", "bin/ip"] as const;
const STATIC = ["bin/busybox", "bin/tini-static"] as const;

/** What nearly no guest runs, and is two fifths of all: the agent unpacks it where a kernel parameter asks for it. */
const PACKED = ["sbin/runc"] as const;

/** Documentation, locales, headers and the like have no reader in the guest. */
const UNWANTED = ["usr/share", "usr/include", "etc", "var"];

export interface RootfsInputs {
  /** The agent: a directory with `agent.kjs`, and `kata-js` that runs it. */
  readonly agentDir: string;
}

export interface RootfsPrograms extends RootfsInputs {
  /** A crun without shared libraries, instead of the distribution's. */
  readonly crunBinary?: string;
}

export interface Rootfs {
  readonly imagePath: string;
  readonly packages: readonly PackageEntry[];
}

/**
 * Builds, or finds in the cache, the guest's read-only ext4 root file system.
 *
 * @throws GuestImageError for a directory that has no agent
 */
export async function buildRootfs(inputs: RootfsPrograms, tools: ImageTools): Promise<Rootfs> {
  checkAgent(inputs.agentDir);
  const packages = (await tools.archive.closure(PACKAGES)).filter(({ name }) => !NOT_NEEDED.has(name));
  const key = contentKey(
    await treeDigest(inputs.agentDir),
    inputs.crunBinary === undefined ? "" : await fileDigest(inputs.crunBinary),
    await readFile(join(TEMPLATE_DIR, "init")),
    await readFile(join(TEMPLATE_DIR, "fstab")),
    ...packages.map(({ name, version }) => `${name}=${version}`),
    tools.root.key,
    FORMAT,
  );
  const dir = await cachedDir(tools.cacheDir, `rootfs-${key}`, async (unfinished) => {
    await assemble(inputs, packages, unfinished, tools);
  });
  return { imagePath: join(dir, "rootfs.ext4"), packages: await readPackages(dir) };
}

async function assemble(
  inputs: RootfsPrograms,
  packages: readonly Candidate[],
  out: string,
  tools: ImageTools,
): Promise<void> {
  const debs = await fetchedPackages(packages, tools);
  tools.progress("guest image: assembling the root file system");
  const staging = join(out, "staging");
  for (const deb of baseFirst(debs)) await unpackPackage(deb.path, staging);
  for (const path of UNWANTED) await rm(join(staging, path), { recursive: true, force: true });
  await addPrograms(inputs, staging);
  for (const file of PACKED) await tools.root.run(out, ["gzip", "-9n", `staging/usr/${file}`]);
  await addBase(staging);
  await addAgent(inputs.agentDir, staging);
  const manifest = debs.map(({ name, version, sha256 }) => ({ name, version, sha256 }));
  await writeFile(join(staging, "etc/kata-packages.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  tools.progress("guest image: writing the ext4 image");
  await writeExt4(tools.root, staging, join(out, "rootfs.ext4"));
  await writeFile(join(out, "packages.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await rm(staging, { recursive: true });
}

async function fetchedPackages(packages: readonly Candidate[], tools: ImageTools): Promise<FetchedPackage[]> {
  const key = contentKey(...packages.map(({ name, version }) => `${name}=${version}`));
  const dir = await cachedDir(tools.cacheDir, `packages-${key}`, async (unfinished) => {
    tools.progress(`guest image: fetching ${String(packages.length)} packages of Debian ${SUITE}`);
    await tools.archive.fetch(packages, unfinished);
  });
  return describePackages(dir);
}

/** A crun that is not the distribution's, and of the distribution's programs those that the guest runs. */
async function addPrograms({ crunBinary }: RootfsPrograms, staging: string): Promise<void> {
  if (crunBinary !== undefined) await installCrun(crunBinary, staging);
  const compiled = crunBinary === undefined ? [] : ["bin/crun"];
  const dynamic = DYNAMIC.filter((program) => !compiled.includes(program));
  await keepNeeded(staging, { dynamic, fixed: [...STATIC, ...compiled] });
}

async function addBase(staging: string): Promise<void> {
  for (const dir of ["dev", "proc", "sys", "run", "tmp", "root", "mnt", "var", "etc", AGENT_DIRECTORY]) {
    await mkdir(join(staging, dir), { recursive: true });
  }
  await symlink("/run", join(staging, "var/run"));
  const { stdout } = await execa(join(staging, "usr/bin/busybox"), ["--list"]);
  for (const applet of stdout.split("\n")) {
    if (applet !== "" && applet !== "busybox")
      await symlink("busybox", join(staging, "usr/bin", applet)).catch(ignoreExisting);
  }
  await writeFile(
    join(staging, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
  );
  await writeFile(join(staging, "etc/group"), "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n");
  await writeFile(join(staging, "etc/resolv.conf"), "");
  await copyFile(join(TEMPLATE_DIR, "fstab"), join(staging, "etc/fstab"));
  const init = join(staging, "usr/sbin/init");
  await copyFile(join(TEMPLATE_DIR, "init"), init);
  await chmod(init, 0o755);
}

async function addAgent(agentDir: string, staging: string): Promise<void> {
  const dir = join(staging, AGENT_DIRECTORY);
  await cp(agentDir, dir, { recursive: true, dereference: true });
  // The builder's umask is not part of the image.
  await execa("chmod", ["-R", "u=rwX,go=rX", dir]);
}

function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}
