import { chmod, copyFile, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { cachedDir, contentKey, fileDigest } from "./cache.ts";
import { GuestImageError } from "./errors.ts";
import { writeExt4 } from "./ext4.ts";
import { installCrun } from "./fixed-crun.ts";
import { describePackages, type FetchedPackage, fetchPackages, unpackPackage } from "./packages.ts";
import type { Progress } from "./progress.ts";

/** Changes when an image is made in another way than before. */
const FORMAT = "5";

/** What goes into the guest's root file system from the distribution. */
const PACKAGES = [
  "busybox-static",
  "procps",
  "libproc2-0",
  "crun",
  "runc",
  "tini",
  "iproute2",
  "libbpf1",
  "libbsd0",
  "libelf1",
  "libmd0",
  "libmnl0",
  "zlib1g",
  "libatomic1",
  "libc6",
  "libgcc-s1",
  "libstdc++6",
  "libcap2",
  "libgcrypt20",
  "libgpg-error0",
  "liblz4-1",
  "liblzma5",
  "libseccomp2",
  "libsystemd0",
  "libyajl2",
  "libzstd1",
] as const;

/** Documentation, locales and the like have no reader in the guest. */
const UNWANTED = ["usr/share", "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/x86_64-linux-gnu/audit", "etc", "lib64"];

export interface RootfsInputs {
  /** The agent's bundle: a directory with `agent.cjs`, and the gRPC and koffi it needs. */
  readonly agentDir: string;
  /** A Node binary for linux-x64. */
  readonly nodeBinary: string;
}

export interface RootfsPrograms extends RootfsInputs {
  /** A crun without shared libraries, instead of the distribution's. */
  readonly crunBinary?: string;
}

const NODE_FLAGS = ["--max-semi-space-size=2"];
/** V8's flags that the guest's init may start the agent with: it has a code cache for each. */
export const AGENT_FLAGS: readonly (readonly string[])[] = [
  NODE_FLAGS,
  [...NODE_FLAGS, "--no-sparkplug", "--no-maglev", "--no-opt"],
];

const TEMPLATE_DIR: string = fileURLToPath(new URL("../rootfs", import.meta.url));

/** Builds, or finds in the cache, the guest's read-only ext4 root file system. Returns its path. */
export async function buildRootfs(inputs: RootfsPrograms, cacheDir: string, progress: Progress): Promise<string> {
  const key = contentKey(
    await fileDigest(join(inputs.agentDir, "agent.cjs")),
    await fileDigest(join(inputs.agentDir, "grpc-js.cjs")),
    await fileDigest(inputs.nodeBinary),
    inputs.crunBinary === undefined ? "" : await fileDigest(inputs.crunBinary),
    await readFile(join(TEMPLATE_DIR, "init")),
    await readFile(join(TEMPLATE_DIR, "fstab")),
    await readFile(join(TEMPLATE_DIR, "launch.cjs")),
    PACKAGES.join(),
    FORMAT,
  );
  const dir = await cachedDir(cacheDir, `rootfs-${key}`, async (unfinished) => {
    await assemble(inputs, cacheDir, unfinished, progress);
  });
  return join(dir, "rootfs.ext4");
}

async function assemble(inputs: RootfsPrograms, cacheDir: string, out: string, progress: Progress): Promise<void> {
  const debs = await fetchedPackages(cacheDir, progress);
  progress("guest image: assembling the root file system");
  const staging = join(out, "staging");
  for (const deb of debs) await unpackPackage(deb.path, staging);
  for (const path of UNWANTED) await rm(join(staging, path), { recursive: true, force: true });
  await mergeUsr(staging);
  await addBase(staging);
  await copyFile(inputs.nodeBinary, join(staging, "usr/bin/node"));
  await addAgent(inputs, staging);
  await checkPrograms(staging);
  // After the check: it has no libraries that could be missing.
  if (inputs.crunBinary !== undefined) await installCrun(inputs.crunBinary, staging);
  const manifest = debs.map(({ name, version, sha256 }) => ({ name, version, sha256 }));
  await writeFile(join(staging, "etc/kata-packages.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  progress("guest image: writing the ext4 image");
  await writeExt4(staging, join(out, "rootfs.ext4"));
  await writeFile(join(out, "packages.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await rm(staging, { recursive: true });
}

async function fetchedPackages(cacheDir: string, progress: Progress): Promise<FetchedPackage[]> {
  const dir = await cachedDir(cacheDir, `packages-${contentKey(PACKAGES.join())}`, async (unfinished) => {
    progress(`guest image: fetching ${String(PACKAGES.length)} distribution packages`);
    await fetchPackages(PACKAGES, unfinished);
  });
  return describePackages(dir);
}

// Debian 12 packages still ship /lib and /bin; in the image they are links, as on an installed system.
async function mergeUsr(staging: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    const from = join(staging, name);
    const to = join(staging, "usr", name);
    await mkdir(to, { recursive: true });
    await cp(from, to, { recursive: true, verbatimSymlinks: true }).catch(ignoreMissing);
    await rm(from, { recursive: true, force: true });
    await symlink(`usr/${name}`, from);
  }
  await symlink("../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", join(staging, "usr/lib64/ld-linux-x86-64.so.2"));
}

async function addBase(staging: string): Promise<void> {
  for (const dir of ["dev", "proc", "sys", "run", "tmp", "root", "mnt", "var", "etc", "usr/lib/kata-agent"]) {
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
  await copyFile(join(TEMPLATE_DIR, "init"), join(staging, "usr/sbin/init"));
  await chmod(join(staging, "usr/sbin/init"), 0o755);
}

async function addAgent(inputs: RootfsInputs, staging: string): Promise<void> {
  const dir = join(staging, "usr/lib/kata-agent");
  await cp(inputs.agentDir, dir, { recursive: true, dereference: true });
  await copyFile(join(TEMPLATE_DIR, "launch.cjs"), join(dir, "launch.cjs"));
  for (const flags of AGENT_FLAGS) {
    await execa(inputs.nodeBinary, [...flags, join(dir, "launch.cjs"), "--make-cache"], {
      cwd: dirname(dir),
      timeout: 60_000,
    });
  }
}

// A library that is missing would show as a guest that panics on boot: find it here.
async function checkPrograms(staging: string): Promise<void> {
  for (const program of ["bin/node", "bin/crun", "sbin/runc", "bin/ps", "bin/ip"]) {
    const loader = "/lib64/ld-linux-x86-64.so.2";
    const listed = await execa("chroot", [staging, loader, "--list", `/usr/${program}`], { reject: false });
    if (!listed.failed && !listed.stdout.includes("not found")) continue;
    throw new GuestImageError(`${program} lacks a library: ${listed.stdout}${listed.stderr}`, "a package is missing");
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}
