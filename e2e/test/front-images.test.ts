import { once } from "node:events";
import { chmodSync, globSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { ociArchive } from "../harness/engines/oci-images.ts";
import { busyboxRootfs, pythonRootfs } from "../harness/images.ts";
import { OwnKata } from "../harness/own-kata.ts";
import { Registry } from "../harness/registry.ts";
import { treeOf } from "../harness/tree.ts";

const mounts = (): string => readFileSync("/proc/self/mountinfo", "utf8");

/** An image of a busybox and two layers more: they replace, add, link and take away. */
describe("kata's images", () => {
  expectCleanHost();

  const directory = mkdtempSync(join(tmpdir(), "kata-front-images-"));
  const layout = join(directory, "layout");
  let registry: Registry;
  let image = "";
  let expected: string[] = [];

  beforeAll(async () => {
    const reference = `${layout}:app`;
    const umoci = (...args: readonly string[]) => execa("umoci", args);
    await umoci("init", "--layout", layout);
    await umoci("new", "--image", reference);
    await umoci("insert", "--image", reference, await busyboxRootfs(), "/");
    const bundle = join(directory, "bundle");
    await umoci("unpack", "--image", reference, bundle);
    const rootfs = join(bundle, "rootfs");
    rmSync(join(rootfs, "root"), { recursive: true });
    mkdirSync(join(rootfs, "app"));
    writeFileSync(join(rootfs, "app/one"), "shared\n");
    linkSync(join(rootfs, "app/one"), join(rootfs, "app/other"));
    chmodSync(join(rootfs, "app"), 0o2775);
    writeFileSync(join(rootfs, "etc/passwd"), "root:x:0:0::/:/bin/sh\napp:x:1234:4321::/:/bin/sh\n");
    const setAttribute = "import os, sys; os.setxattr(sys.argv[1], 'user.colour', b'blue')";
    await execa("python3", ["-c", setAttribute, join(rootfs, "app/one")]);
    await umoci("repack", "--image", reference, bundle);
    await umoci("config", "--image", reference, "--config.env", "PATH=/bin", "--config.cmd", "sh");
    await umoci("unpack", "--image", reference, join(directory, "reference"));
    expected = await treeOf(join(directory, "reference", "rootfs"));
    registry = await Registry.start(directory);
    image = `${registry.host}/example/app:1`;
    const copy = ["--insecure-policy", "copy", "--dest-tls-verify=false", `oci:${reference}`, `docker://${image}`];
    await execa("skopeo", copy);
  }, 120_000);

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  it("are unpacked once, shared by containers that see their own changes only, and kept until rmi", async () => {
    await using own = new OwnKata();
    const pulled = await own.kata("pull", image);
    expect(pulled).toMatchObject({ exitCode: 0, stderr: "" });
    expect(pulled.stdout).toMatch(new RegExp(`^${image}: sha256:[0-9a-f]{64}$`));
    expect(await treeOf(own.rootfs())).toEqual(expected);
    const script = "cd /app && echo $1 >> one && cat other && rm /etc/passwd && mv /app /elsewhere && ls /";
    const command = (word: string) => [image, "sh", "-c", script, "sh", word];
    // One by virtio-fs, and one by 9p.
    const config = own.file("configuration.toml", '[hypervisor.qemu]\nshared_fs = "virtio-9p"\n');
    const [first, second] = await Promise.all([
      own.kata("run", ...command("first")),
      own.kata("--config", config, "run", ...command("second")),
    ]);
    // What is a link in the image is one when it is written to.
    expect(first).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: expect.stringMatching(/^shared\nfirst\nbin\n/) as string,
    });
    expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^shared\nsecond\nbin\n/) as string });
    expect(await treeOf(own.rootfs())).toEqual(expected);
    expect(own.bundles()).toEqual([]);
    const listed = await own.kata("images");
    expect(listed.stdout.split("\n").slice(1)).toEqual([
      expect.stringMatching(`^${image} +[0-9a-f]{12} +.* ago +[\\d.]+ MB`),
    ]);
    expect(await own.kata("rmi", image)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/\nremoved sha256:/) as string,
    });
    expect((await own.kata("images", "--format", "json")).stdout).toBe("[]");
    expect(globSync("images/{trees,blobs/sha256,references,names}/*", { cwd: own.data })).toEqual([]);
  });

  it("come from their registry always, where they are missing, or never", async () => {
    await using own = new OwnKata();
    const never = await own.kata("run", "--pull", "never", image, "true");
    expect(never).toMatchObject({ exitCode: 125, stderr: expect.stringContaining("--pull never") as string });
    const foreign = await own.kata("run", "--platform", "linux/s390x", image, "true");
    expect(foreign).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining("--platform linux/s390x") as string,
    });
    const other = await own.kata("pull", "--platform", "s390x", image);
    expect(other).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("not for linux/s390x") as string });
    {
      await using temporary = await Registry.start(mkdtempSync(join(own.directory, "registry-")));
      const short = `${temporary.host}/app`;
      const copy = [
        "--insecure-policy",
        "copy",
        "--dest-tls-verify=false",
        `oci:${layout}:app`,
        `docker://${short}:latest`,
      ];
      await execa("skopeo", copy);
      expect(await own.kata("run", short, "cat", "/app/one")).toMatchObject({ exitCode: 0, stdout: "shared" });
      image = short;
    }
    expect(await own.kata("run", image, "id", "-u")).toMatchObject({ exitCode: 0, stdout: "0", stderr: "" });
    const asked = await own.kata("run", "--pull", "always", image, "true");
    // The registry is not there: said, and the image of the last time is used.
    expect(asked).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("cannot be reached") as string });
    image = `${registry.host}/example/app:1`;
  });

  it("that a container has are not removed; after a SIGKILL the next call takes what is left", async () => {
    await using own = new OwnKata();
    const child = own.spawn("run", "--name", "web", image, "sleep", "1000");
    await own.whenRunning("web");
    const refused = await own.kata("rmi", image);
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("is used by the container web") as string,
    });
    const killed = once(child, "exit");
    child.kill("SIGKILL");
    await killed;
    expect(mounts()).toContain(join(own.data, "bundles/web/rootfs"));
    await own.ok(["delete", "--force", "web"]);
    const collected = await own.ok(["gc"], { env: own.env });
    expect(collected).toBe(`removed bundle ${own.data}/bundles/web: the kata run that made it has ended`);
    expect(await own.kata("rmi", image)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(own.bundles()).toEqual([]);
    expect(mounts()).not.toContain(own.data);
  });

  it("are copied, which is said, where no overlay can be mounted", async () => {
    await using own = new OwnKata();
    await own.kata("pull", image);
    // An overlay's changes cannot be in an overlay.
    const [lower, upper, work] = ["lower", "upper", "work"].map((name) => join(own.directory, name));
    for (const each of [lower, upper, work]) mkdirSync(each ?? "");
    mkdirSync(join(own.data, "bundles"), { recursive: true });
    const options = `lowerdir=${lower ?? ""},upperdir=${upper ?? ""},workdir=${work ?? ""}`;
    await execa("mount", ["-t", "overlay", "overlay", "-o", options, join(own.data, "bundles")]);
    try {
      const shown = await own.kata("run", image, "sh", "-c", "echo more >> /app/one; cat /app/other");
      expect(shown).toMatchObject({ exitCode: 0, stdout: "shared\nmore" });
      expect(shown.stderr).toContain("no overlay can be mounted below");
      expect(await treeOf(own.rootfs())).toEqual(expected);
      expect(own.bundles()).toEqual([]);
    } finally {
      await execa("umount", [join(own.data, "bundles")]);
    }
  });

  it("give a container what Docker's options ask for, and a volume what they have in its place", async () => {
    await using own = new OwnKata();
    const variables = own.file("variables", "# of the test\nA=1\nB=3\n");
    const script = [
      "touch /x; df -k /scratch | awk 'END { print $2 }'; grep CapEff /proc/self/status; hostname; grep db /etc/hosts",
      "echo $A$B; cat /app/other; echo kept > /app/new; stat -c %a /app",
    ].join("; ");
    const options = [
      ...["--read-only", "--tmpfs", "/scratch:size=1m", "--cap-drop", "all", "--cap-add", "chown", "--hostname", "box"],
      ...["--add-host", "db:10.1.2.3", "--env-file", variables, "-e", "B=2", "-v", "data:/app"],
    ];
    expect(await own.kata("run", ...options, image, "sh", "-c", script)).toMatchObject({
      exitCode: 0,
      stdout: "1024\nCapEff:\t0000000000000001\nbox\n10.1.2.3\tdb\n12\nshared\n2775",
      stderr: "touch: /x: Read-only file system",
    });
    const again = await own.kata("run", "-v", "data:/mnt:ro", "-u", "app", image, "sh", "-c", "id -u; cat /mnt/new");
    expect(again).toMatchObject({ exitCode: 0, stdout: "1234\nkept", stderr: "" });
    expect((await own.kata("volume", "ls", "-q")).stdout).toBe("data");
    const usage = JSON.parse((await own.kata("system", "df", "--format", "json")).stdout) as object[];
    expect(usage).toMatchObject([
      { type: "images", total: 1, active: 0 },
      { type: "downloads", total: 4 },
      { type: "containers", total: 0, size: 0 },
      { type: "volumes", total: 1, active: 0 },
    ]);
    expect((await own.kata("prune")).stderr).toContain("prune needs --force");
    const pruned = await own.kata("system", "prune", "--force", "--all", "--volumes");
    expect(pruned.stdout).toMatch(new RegExp(`^removed image ${image}\nimages: .* reclaimed\nremoved volume data$`));
    expect((await own.kata("volume", "ls", "-q")).stdout).toBe("");
    expect(globSync("{images/trees,images/blobs/sha256,volumes}/*", { cwd: own.data })).toEqual([]);
  });

  it("run in the background, are followed, listed when they have ended, and removed", async () => {
    await using own = new OwnKata();
    const script = "echo one; while [ ! -e /go ]; do sleep 0.1; done; echo two; exit 3";
    const started = await own.kata("run", "-d", "--name", "web", "-v", "data:/data", image, "sh", "-c", script);
    expect(started).toMatchObject({ exitCode: 0, stdout: "web", stderr: "" });
    const following = own.kata("logs", "-f", "web");
    const inspecting = await own.kata("inspect", "web");
    expect(inspecting).toMatchObject({ exitCode: 0, stderr: "" });
    const [inspected] = JSON.parse(inspecting.stdout) as object[];
    expect(inspected).toMatchObject({ type: "container", id: "web", status: "running", image: { name: image } });
    expect((await own.kata("volume", "rm", "data")).stderr).toContain("is used by the container web");
    expect(await own.kata("rm", "web")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("is not stopped") as string,
    });
    expect(await own.kata("exec", "web", "no-such-command")).toMatchObject({ exitCode: 127 });
    expect(await own.kata("exec", "other", "true")).toMatchObject({ exitCode: 125 });
    expect(await own.kata("exec", "web", "touch", "/go")).toMatchObject({ exitCode: 0 });
    expect(await following).toMatchObject({ exitCode: 0, stdout: "one\ntwo", stderr: "" });
    expect((await own.kata("logs", "--tail", "1", "web")).stdout).toBe("two");
    expect((await own.kata("ps", "-q")).stdout).toBe("");
    expect((await own.kata("ps", "-a")).stdout).toMatch(/\nweb +0 +stopped /);
    expect(await own.kata("rm", "web")).toMatchObject({ exitCode: 0, stdout: "web" });
    expect((await own.kata("ps", "-aq")).stdout).toBe("");

    await own.kata("run", "-d", "--name", "web", image, "sleep", "1000");
    expect(await own.kata("kill", "web", "other")).toMatchObject({ exitCode: 1, stdout: "web" });
    await own.until("web", "stopped");
    expect((await own.kata("prune", "--force")).stdout).toContain("removed container web");
    expect((await own.kata("rm", "-f", "web")).exitCode).toBe(0);
    expect((await own.kata("run", "-d", "--rm", "--name", "web", image, "true")).exitCode).toBe(0);
    while (own.bundles().length > 0) await setImmediate();
    expect((await own.kata("ps", "-aq")).stdout).toBe("");
    expect(own.bundles()).toEqual([]);
  });

  it("are not believed where the process that unpacked them was killed", async () => {
    await using own = new OwnKata();
    const [name, tag, command] = ["example", "1", ["true"]] as const;
    const archive = await ociArchive(own.directory, { name, tag, rootfs: await pythonRootfs(), command });
    const child = own.spawn("pull", archive);
    const closed = once(child, "close");
    await own.whileMade(child, "images/work-*/tree/rootfs/usr/bin/*");
    child.kill("SIGKILL");
    expect(await closed).toEqual([null, "SIGKILL"]);
    expect((await own.kata("images", "-q")).stdout).toBe("");
    expect(globSync("images/work-*", { cwd: own.data })).toHaveLength(1);
    // One fetches and unpacks, the others wait.
    const pulls = await Promise.all([1, 2, 3].map(() => own.kata("pull", "-q", archive)));
    expect(new Set(pulls.map(({ stdout, exitCode }) => `${stdout} ${String(exitCode)}`)).size).toBe(1);
    expect(pulls[0]).toMatchObject({ exitCode: 0, stderr: "" });
    expect(globSync("images/{work-*,trees/*}", { cwd: own.data })).toHaveLength(1);
    // umoci writes whole seconds, rounded.
    const withoutTimes = (tree: readonly string[]): string[] => tree.map((line) => line.replace(/ \d{9,10} /, " "));
    expect(withoutTimes(await treeOf(own.rootfs()))).toEqual(withoutTimes(await treeOf(await pythonRootfs())));
  });

  it.each([
    ["it unpacks", "images/work-*/tree/rootfs/*"],
    ["its machine boots", "bundles/*/config.json"],
  ])("and all else is taken back by ^C while %s", async (_, pattern) => {
    await using own = new OwnKata();
    const [name, tag, command] = ["example", "1", ["python3.11", "-c", "import time; time.sleep(1000)"]] as const;
    const archive = await ociArchive(own.directory, { name, tag, rootfs: await pythonRootfs(), command });
    const child = own.spawn("run", "--name", "web", archive);
    const said = child.stderr === null ? "" : text(child.stderr);
    const closed = once(child, "close");
    await own.whileMade(child, pattern);
    child.kill("SIGINT");
    expect(await said).toBe("kata: given up: SIGINT\n");
    expect(await closed).toEqual([130, null]);
    expect(own.bundles()).toEqual([]);
    expect(globSync("images/work-*", { cwd: own.data })).toEqual([]);
    expect((await own.run(["list", "-q"])).stdout).toBe("");
    expect(mounts()).not.toContain(own.data);
  });
});
