import { copyFileSync, globSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { makeBusyboxBundle } from "../../scripts/lib/busybox-bundle.ts";
import { ROOT } from "../harness/paths.ts";
import { HostRoot } from "./host-root.ts";
import { BARE } from "./packages.ts";
import { chosenSuites } from "./suites.ts";

const ARCHIVE = join(ROOT, "dist", "kata-ts.tar.gz");
const BUILDERS = ["node", "npm", "gcc", "cc", "make", "git"];

beforeAll(async () => {
  await execa(process.execPath, ["scripts/boot.mjs", "scripts/release.ts"], { cwd: ROOT, stdin: "ignore" });
});

describe.each(chosenSuites(["bookworm", "trixie", "forky"]))("a release on a bare %s", (suite) => {
  it("says which packages it needs, and with just these runs containers", async () => {
    await using host = await HostRoot.create(suite, BARE);
    await installWhatCheckNames(host);
    // Compilers, npm and apt itself are not called.
    for (const program of globSync("usr/bin/{apt,dpkg}*", { cwd: host.directory })) {
      rmSync(join(host.directory, program));
    }

    const after = await host.expectOk(["kata-ts/bin/kata-runtime", "check"]);
    expect(after).toContain("This machine can run containers.");
    expect(packagesNamed(after)).toEqual([]);
    await host.expectOk(["kata-ts/bin/kata-runtime", "install", "/usr/local"]);
    rmSync(join(host.directory, "root/kata-ts"), { recursive: true });
    const bundle = join(host.directory, "root/bundle");
    mkdirSync(bundle);
    await makeBusyboxBundle(bundle, ["sh", "-c", "echo from a container; uname -r; exit 3"]);
    const run = await host.run(["kata-runtime", "run", "--bundle", "/root/bundle", "first"]);
    expect(run).toMatchObject({ exitCode: 3, output: expect.stringMatching(/^from a container\n6\.12/) as string });
    await host.expectOk(["kata-runtime", "uninstall", "/usr/local"]);
    expect(globSync("usr/local/**/*kata*", { cwd: host.directory })).toEqual([]);
  });
});

// Its C library is older than that of the guest's release, from which libatomic and virtiofsd are.
describe.each(chosenSuites(["bullseye"]))("a release on a bare %s", (suite) => {
  it("runs, and says that QEMU is too old", async () => {
    await using host = await HostRoot.create(suite, BARE);
    await installWhatCheckNames(host);
    const { exitCode, output } = await host.run(["kata-ts/bin/kata-runtime", "check"]);
    expect(output).toMatch(/^MISSING +QEMU +\/usr\/bin\/qemu-system-x86_64 5\.2\.0 is older than 6\.0/m);
    expect(output).toMatch(/^ok +virtiofsd /m);
    expect(exitCode).toBe(1);
  });
});

async function installWhatCheckNames(host: HostRoot): Promise<void> {
  const found = await host.run(["sh", "-c", `for name in ${BUILDERS.join(" ")}; do command -v $name; done; true`]);
  expect(found.output).toBe("");
  copyFileSync(ARCHIVE, join(host.directory, "root/kata-ts.tar.gz"));
  await host.expectOk(["tar", "-xzf", "kata-ts.tar.gz"]);
  const { exitCode, output } = await host.run(["kata-ts/bin/kata-runtime", "check"]);
  expect(output).toContain("This machine cannot run containers yet.");
  expect(exitCode).toBe(1);
  expect(packagesNamed(output)).toEqual(["qemu-system-x86", "iproute2", "iptables"]);
  await host.expectOk(["apt-get", "-q", "update"]);
  await host.expectOk(["apt-get", "-q", "install", "-y", "--no-install-recommends", ...packagesNamed(output)]);
}

/** Of all lines that say how to get something, the packages. */
function packagesNamed(output: string): string[] {
  const lines = [...output.matchAll(/: apt-get install ([a-z0-9+. -]+)/g)];
  return [...new Set(lines.flatMap(([, names = ""]) => names.trim().split(/\s+/)))];
}
