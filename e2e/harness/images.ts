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
import { dirname, join } from "node:path";
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
  return debianRootfs("python-2", PYTHON_PACKAGES);
}

const REDIS_PACKAGES = [
  ...["redis-server", "redis-tools", "libc6", "libjemalloc2", "liblua5.1-0", "lua-bitop", "lua-cjson", "liblzf1"],
  ...["libhiredis0.14", "libssl3", "libsystemd0", "libatomic1", "libcap2", "libgcrypt20", "libgpg-error0", "liblz4-1"],
  ...["liblzma5", "libzstd1", "libgcc-s1", "libstdc++6"],
];

/** Redis as Debian 12 ships it: a server that keeps what it is given. */
export function redisRootfs(): Promise<string> {
  return debianRootfs("redis-1", REDIS_PACKAGES);
}

const APT_PACKAGES = [
  ...[
    "apt",
    "dpkg",
    "tar",
    "base-files",
    "bash",
    "dash",
    "coreutils",
    "sed",
    "grep",
    "hostname",
    "iputils-ping",
    "diffutils",
  ],
  ...["libc6", "libc-bin", "libapt-pkg6.0", "libstdc++6", "libgcc-s1", "zlib1g", "libbz2-1.0", "liblzma5", "liblz4-1"],
  ...[
    "libzstd1",
    "libgcrypt20",
    "libgpg-error0",
    "libudev1",
    "libsystemd0",
    "libxxhash0",
    "libgnutls30",
    "libseccomp2",
  ],
  ...["libacl1", "libattr1", "libselinux1", "libpcre2-8-0", "libgmp10", "libhogweed6", "libnettle8", "libidn2-0"],
  ...["libunistring2", "libp11-kit0", "libtasn1-6", "libffi8", "libcap2", "libtinfo6", "libmd0", "libcrypt1", "gpgv"],
];

/** A Debian 12 with its package manager and ping, and with users of its own. */
export async function aptRootfs(): Promise<string> {
  const rootfs = await debianRootfs("apt-2", APT_PACKAGES);
  const passwd = ["root:x:0:0:root:/root:/bin/bash", "_apt:x:42:65534::/nonexistent:/bin/false"];
  const files = {
    "etc/passwd": [...passwd, "www-data:x:33:33:www-data:/var/www:/bin/bash"],
    "etc/group": ["root:x:0:", "www-data:x:33:", "adm:x:4:www-data", "nogroup:x:65534:"],
    "etc/nsswitch.conf": ["passwd: files", "group: files", "hosts: files dns"],
    "var/lib/dpkg/status": [],
  };
  for (const [name, lines] of Object.entries(files)) {
    mkdirSync(join(rootfs, dirname(name)), { recursive: true });
    writeFileSync(join(rootfs, name), lines.map((line) => `${line}\n`).join(""));
  }
  return rootfs;
}

function debianRootfs(name: string, packages: readonly string[]): Promise<string> {
  return cachedImage(name, async (dir) => {
    const debs = join(dir, "debs");
    mkdirSync(debs);
    await downloadPackages("bookworm", packages, debs);
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
