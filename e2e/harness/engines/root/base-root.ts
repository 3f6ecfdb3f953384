import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { defaultCacheDir } from "@kata-ts/guest-image";
import { execa } from "execa";
import { sourceOf } from "../../../hosts/mirrors.ts";

/** Suites of Debian whose engines are tested beside this machine's own. */
const ENGINE_SUITES = ["trixie", "forky"] as const;
export type EngineSuite = (typeof ENGINE_SUITES)[number];

const PACKAGES = [
  ...["docker.io", "docker-cli", "docker-compose", "docker-buildx", "containerd", "containernetworking-plugins"],
  ...["podman", "conmon", "crun", "netavark", "aardvark-dns", "passt", "catatonit", "buildah", "runc", "criu"],
  ...["iptables", "nftables", "iproute2", "procps", "kmod", "e2fsprogs", "busybox-static", "libatomic1"],
];
const LEFT_OUT = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"];

/** The suite that KATA_TEST_ENGINES names; undefined for this machine's own engines. @throws Error for an unknown one */
export function engineSuite(): EngineSuite | undefined {
  const name = process.env.KATA_TEST_ENGINES ?? "";
  if (name === "") return undefined;
  const found = ENGINE_SUITES.find((suite) => suite === name);
  if (found === undefined) throw new Error(`KATA_TEST_ENGINES=${name}: one of ${ENGINE_SUITES.join(", ")}`);
  return found;
}

/** A root file system with the engines of a suite, made once and kept. @returns its directory, not to be written to */
export function baseRoot(suite: EngineSuite): Promise<string> {
  return rootOf(`engines-${suite}`, suite, PACKAGES);
}

/**
 * A root file system of a suite with some packages, made once and kept. @returns its directory, not to be written to
 * @param archives packages that are not installed: they lie in /srv/packages, which is a repository to apt, with what they need
 */
export async function rootOf(
  name: string,
  suite: EngineSuite,
  packages: readonly string[],
  archives: readonly string[] = [],
): Promise<string> {
  const hooks = archives.length === 0 ? [] : [`--customize-hook=${repositoryOf(archives)}`];
  const inputs = createHash("sha256").update([suite, ...packages, ...LEFT_OUT, ...hooks].join(" "));
  const finished = join(defaultCacheDir(), `${name}-${inputs.digest("hex").slice(0, 12)}`);
  if (existsSync(finished)) return finished;
  const unfinished = `${finished}.${String(process.pid)}`;
  mkdirSync(defaultCacheDir(), { recursive: true });
  try {
    await makeRoot(suite, packages, hooks, unfinished);
    renameSync(unfinished, finished);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return finished;
}

/** A script for mmdebstrap, which calls it with the root's directory while its package sources can be asked. */
function repositoryOf(archives: readonly string[]): string {
  return `set -e
cd "$1"
rm -f var/cache/apt/archives/*.deb
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -y --download-only install ${archives.join(" ")}
mkdir srv/packages
mv var/cache/apt/archives/*.deb srv/packages
cd srv/packages
for file in *.deb; do
  dpkg-deb --field "$file"
  echo "Filename: ./$file"
  echo "Size: $(stat -c %s "$file")"
  echo "SHA256: $(sha256sum "$file" | cut -d " " -f 1)"
  echo
done >Packages`;
}

async function makeRoot(
  suite: EngineSuite,
  packages: readonly string[],
  hooks: readonly string[],
  directory: string,
): Promise<void> {
  const options = [
    ...["--mode=root", "--variant=minbase", "--format=directory", `--include=${packages.join(",")}`],
    ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...hooks,
  ];
  await execa("unshare", ["--mount", "mmdebstrap", ...options, suite, directory, "-"], {
    input: sourceOf(suite),
    stdout: "ignore",
  });
}
