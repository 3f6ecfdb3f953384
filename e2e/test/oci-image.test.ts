import { copyFileSync, globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Image, type ImageLocation, openImage, type Progress } from "@kata-ts/oci-image";
import { Sandbox } from "@kata-ts/virtcontainers";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { pythonRootfs } from "../harness/images.ts";
import { RUNTIME, SHARE } from "../harness/paths.ts";
import { Registry } from "../harness/registry.ts";
import { treeOf } from "../harness/tree.ts";

const KATA = join(dirname(RUNTIME), "kata");
/** cap_net_raw+ep, as setcap writes it. */
const MAY_USE_RAW_SOCKETS = "0100000200200000000000000000000000000000";
const SHOW_CAPABILITIES =
  "print([line for line in open('/proc/self/status') if line.startswith('CapEff')][0].split()[1])";

/** An image of distribution packages, whose second layer replaces, adds and takes away. Made and unpacked by umoci. */
describe("an image without an engine", () => {
  expectCleanHost();

  const directory = mkdtempSync(join(tmpdir(), "kata-oci-"));
  const layout = join(directory, "layout");
  const cacheDir = join(directory, "cache");
  let expected: string[] = [];

  beforeAll(async () => {
    const image = `${layout}:app`;
    const umoci = (...args: readonly string[]) => execa("umoci", args);
    await umoci("init", "--layout", layout);
    await umoci("new", "--image", image);
    await umoci("insert", "--image", image, await pythonRootfs(), "/");
    const bundle = join(directory, "bundle");
    await umoci("unpack", "--image", image, bundle);
    const rootfs = join(bundle, "rootfs");
    rmSync(join(rootfs, "usr/share"), { recursive: true });
    mkdirSync(join(rootfs, "app"));
    mkdirSync(join(rootfs, "etc"), { recursive: true });
    writeFileSync(
      join(rootfs, "app/main.py"),
      "import os, sys\nprint(6 * 7, os.getuid(), os.getcwd(), *sys.argv[1:])\n",
    );
    writeFileSync(join(rootfs, "etc/passwd"), "root:x:0:0::/:/bin/sh\napp:x:1234:4321::/:/bin/sh\n");
    copyFileSync(join(rootfs, "usr/bin/python3.11"), join(rootfs, "app/raw-python"));
    const setAttribute = "import os, sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))";
    const attribute = ["security.capability", MAY_USE_RAW_SOCKETS];
    await execa("python3", ["-c", setAttribute, join(rootfs, "app/raw-python"), ...attribute]);
    await execa("mknod", [join(rootfs, "app/zero"), "c", "1", "5"]);
    await execa("mkfifo", [join(rootfs, "app/pipe")]);
    await umoci("repack", "--image", image, bundle);
    const how = ["--config.user", "app", "--config.workingdir", "/app", "--config.env", "PATH=/usr/bin:/bin"];
    const command = ["--config.entrypoint", "python3.11", "--config.entrypoint", "main.py", "--config.cmd", "usual"];
    await umoci("config", "--image", image, ...how, ...command);
    const reference = join(directory, "reference");
    await umoci("unpack", "--image", image, reference);
    expected = await treeOf(join(reference, "rootfs"));
    expect(expected.length).toBeGreaterThan(1000);
    expect(expected.some((line) => line.startsWith("usr/share "))).toBe(false);
    expect(expected).toContain("app/zero device 1 5");
    expect(expected).toContain(`app/raw-python security.capability ${MAY_USE_RAW_SOCKETS}`);
  }, 120_000);

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  async function unpacked(location: ImageLocation): Promise<{ readonly image: Image; readonly tree: string[] }> {
    const target = mkdtempSync(join(directory, "target-"));
    const image = await openImage(location, { cacheDir: mkdtempSync(join(directory, "cache-")) });
    await image.unpack(target);
    return { image, tree: await treeOf(target) };
  }

  const skopeo = async (...args: readonly string[]): Promise<unknown> =>
    execa("skopeo", ["--insecure-policy", "copy", ...args]);

  it("runs in a VM as its author wants it, and is as umoci unpacks it", async () => {
    const target = join(directory, "rootfs");
    const progress: Progress[] = [];
    const image = await openImage({ layout, tag: "app" }, { cacheDir, onProgress: (step) => progress.push(step) });
    await image.unpack(target);
    expect(await treeOf(target)).toEqual(expected);
    for (const step of ["fetching", "unpacking"]) {
      const last = progress.findLast((one) => one.step === step);
      expect(last?.done).toBe(last?.total);
    }
    const vm = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };
    await using sandbox = await Sandbox.create({ vm });
    const usual = await sandbox.run({ rootfs: target, ...image.process() });
    expect(usual).toMatchObject({ exitCode: 0, stdout: "42 1234 /app usual\n", stderr: "" });
    const other = await sandbox.run({ rootfs: target, ...image.process(["other"]) });
    expect(other.stdout).toBe("42 1234 /app other\n");
    const capable = ["/app/raw-python", "-c", SHOW_CAPABILITIES];
    const root = ["--root", join(directory, "root")];
    const shown = await runCommand(KATA, [...root, "run", "--user", "1234:4321", target, ...capable]);
    expect(shown).toMatchObject({ stderr: "", stdout: "0000000000002000" });
  });

  it("is the same out of the archives that skopeo writes, Docker's and OCI's", async () => {
    for (const kind of ["docker-archive", "oci-archive"]) {
      const archive = join(directory, `${kind}.tar`);
      await skopeo(`oci:${layout}:app`, `${kind}:${archive}:example/app:1`);
      const { tree } = await unpacked({ archive });
      expect(tree, kind).toEqual(expected);
    }
  });

  it("comes from a registry, each blob once, and never one that is not what its digest says", async () => {
    await using registry = await Registry.start(directory);
    const reference = `${registry.host}/example/app:1`;
    await skopeo("--dest-tls-verify=false", `oci:${layout}:app`, `docker://${reference}`);
    const target = join(directory, "pulled");
    const image = await openImage({ registry: reference }, { cacheDir: join(directory, "pull-cache") });
    await image.unpack(target);
    expect(await treeOf(target)).toEqual(expected);

    // Kept by digest: what the registry has of it does not matter any more.
    const layers = globSync("docker/registry/v2/blobs/sha256/*/*/data", { cwd: registry.storage });
    for (const file of layers) {
      const path = join(registry.storage, file);
      if (statSync(path).size > 100_000) writeFileSync(path, Buffer.alloc(statSync(path).size, "x"));
    }
    const again = await openImage({ registry: reference }, { cacheDir: join(directory, "pull-cache") });
    expect(again.digest).toBe(image.digest);
    const poisoned = join(directory, "poisoned-cache");
    await expect(openImage({ registry: reference }, { cacheDir: poisoned })).rejects.toMatchObject({
      code: "KATA_IMAGE_DIGEST",
    });
    for (const name of readdirSync(join(poisoned, "blobs/sha256"))) {
      expect(statSync(join(poisoned, "blobs/sha256", name)).size).toBeLessThan(100_000);
    }
    await expect(openImage({ registry: `${registry.host}/example/app:2` }, { cacheDir })).rejects.toMatchObject({
      code: "KATA_IMAGE_NOT_FOUND",
    });
  });
});
