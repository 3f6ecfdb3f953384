import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { defaultCacheDir } from "@kata-ts/guest-image";
import { execa } from "execa";
import { type Suite, sourceOf } from "../hosts/mirrors.ts";

/** Root file systems for tests: made once and kept in the cache. */
export async function cachedImage(name: string, make: (dir: string) => Promise<void>): Promise<string> {
  const finished = join(defaultCacheDir(), `test-image-${name}`);
  if (existsSync(finished)) return finished;
  const unfinished = `${finished}.${String(process.pid)}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  await make(unfinished);
  renameSync(unfinished, finished);
  return finished;
}

/** Busybox, statically linked, with a link for each of its programs. */
export function busyboxRootfs(): Promise<string> {
  return cachedImage("busybox-2", async (dir) => {
    for (const name of ["bin", "etc", "tmp", "root"]) mkdirSync(join(dir, name));
    chmodSync(join(dir, "tmp"), 0o1777);
    copyFileSync("/bin/busybox", join(dir, "bin", "busybox"));
    const { stdout } = await execa("/bin/busybox", ["--list"]);
    for (const applet of stdout.split("\n")) if (applet !== "busybox") symlinkSync("busybox", join(dir, "bin", applet));
    writeFileSync(join(dir, "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    writeFileSync(join(dir, "etc", "group"), "root:x:0:\n");
  });
}

const PYTHON_PACKAGES = [
  ...["python3-minimal", "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libc6", "libexpat1"],
  ...["zlib1g", "libssl3", "libbz2-1.0", "liblzma5", "libffi8", "libsqlite3-0", "libuuid1", "media-types", "bash"],
  ...[
    "coreutils",
    "libtinfo6",
    "libselinux1",
    "libpcre2-8-0",
    "libacl1",
    "libattr1",
    "libgmp10",
    "base-files",
    "dash",
    "bsdutils",
  ],
];

/** Python and a shell as Debian 12 ships them, whatever the host is: a real image with thousands of files. */
export function pythonRootfs(): Promise<string> {
  return cachedImage("python-2", async (dir) => {
    const debs = join(dir, "debs");
    mkdirSync(debs);
    await downloadPackages("bookworm", PYTHON_PACKAGES, debs);
    for (const name of ["bin", "sbin", "lib", "lib64"]) {
      mkdirSync(join(dir, "usr", name), { recursive: true });
      symlinkSync(`usr/${name}`, join(dir, name));
    }
    for (const deb of readdirSync(debs)) {
      const { stdout } = await execa("dpkg-deb", ["--fsys-tarfile", join(debs, deb)], {
        encoding: "buffer",
        maxBuffer: 2 ** 30,
      });
      await execa("tar", ["-x", "--keep-directory-symlink", "-C", dir], { input: stdout });
    }
    rmSync(debs, { recursive: true });
    for (const name of ["proc", "sys", "dev", "tmp"]) mkdirSync(join(dir, name), { recursive: true });
  });
}

/** By apt with an index of its own: what the host has installed, and where from, does not matter. */
export async function downloadPackages(suite: Suite, packages: readonly string[], directory: string): Promise<void> {
  const state = join(directory, "apt");
  for (const name of ["lists/partial", "archives/partial"]) mkdirSync(join(state, name), { recursive: true });
  for (const [name, content] of [
    ["sources.list", sourceOf(suite)],
    ["status", ""],
  ] as const)
    writeFileSync(join(state, name), content);
  const settings = [
    ...["APT::Sandbox::User=root", "Dir::Etc::sourceparts=/dev/null", "Dir::Etc::preferencesparts=/dev/null"],
    ...[`Dir::Etc::sourcelist=${join(state, "sources.list")}`, `Dir::State=${state}`, `Dir::Cache=${state}`],
    ...[`Dir::State::status=${join(state, "status")}`],
  ];
  const options = ["-q", ...settings.flatMap((setting) => ["-o", setting])];
  await execa("apt-get", [...options, "update"]);
  await execa("apt-get", [...options, "download", ...packages], { cwd: directory });
  rmSync(state, { recursive: true });
}
