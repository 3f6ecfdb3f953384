import { createHash, randomBytes } from "node:crypto";
import { release } from "node:os";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { pythonRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { umociBundle } from "../harness/umoci.ts";

describe("run", () => {
  expectCleanHost();

  it("runs a bundle of `runc spec` over busybox in a kernel of its own", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["sh", "-c", "uname -r; hostname; echo to-stderr >&2; exit 7"] });
    const result = await kata.run(["run", "--bundle", path, kata.id()]);
    const [kernel, hostname] = result.stdout.split("\n");
    expect(kernel).toMatch(/^\d+\.\d+/);
    expect(kernel).not.toBe(release());
    expect(hostname).toBe("runc");
    expect(result.stderr).toBe("to-stderr");
    expect(result.exitCode).toBe(7);
  });

  it("runs a bundle that umoci unpacked from an OCI image layout", async () => {
    await using kata = new Kata();
    const { path } = await umociBundle(kata.directory, ["sh", "-c", "echo from $ORIGIN; cat /etc/passwd; exit 3"]);
    const result = await kata.run(["run", "--bundle", path, kata.id()]);
    expect(result.stdout).toBe("from an image\nroot:x:0:0:root:/root:/bin/sh");
    expect(result.exitCode).toBe(3);
  });

  it("runs Python from distribution packages, with default settings", async () => {
    await using kata = new Kata();
    const script = [
      "import hashlib, json, os, sys",
      "count = sum(len(files) for _, _, files in os.walk('/usr/lib/python3.11'))",
      "data = sys.stdin.buffer.read()",
      "print(json.dumps({'files': count, 'sha256': hashlib.sha256(data).hexdigest(), 'pid': os.getpid()}))",
    ].join("\n");
    const { path } = await kata.bundle({ args: ["/usr/bin/python3.11", "-c", script], image: await pythonRootfs() });
    const input = randomBytes(300_001);
    const result = await kata.run(["run", "--bundle", path, kata.id()], { input });
    const sha256 = createHash("sha256").update(input).digest("hex");
    expect(JSON.parse(result.stdout)).toMatchObject({ sha256, pid: 1 });
    expect((JSON.parse(result.stdout) as { files: number }).files).toBeGreaterThan(500);
    expect(result.exitCode).toBe(0);
  });

  it("carries stdin to its end, and binary output to the last byte", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["cat"] });
    const input = randomBytes(1_000_003);
    const result = await kata.run(["run", "--bundle", path, kata.id()], { input });
    expect(Buffer.compare(result.stdoutBytes, input)).toBe(0);
    expect(result.exitCode).toBe(0);
  });

  it("ends although its stdin stays open and empty", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["cat"] });
    expect((await kata.run(["run", "--bundle", path, kata.id()])).exitCode).toBe(0);
  });

  it("passes a signal on to the process, and exits with 128 + its number", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({
      args: ["sh", "-c", "trap 'echo caught; exit 42' USR1; echo ready; while :; do sleep 0.1; done"],
    });
    const { ended } = await kata.runUntilReady("signalled", path);
    await kata.ok(["kill", "signalled", "USR1"]);
    expect(await ended).toMatchObject({ exitCode: 42 });

    const { path: second } = await kata.bundle({ args: ["sleep", "1000"] });
    const killed = kata.run(["run", "--bundle", second, "killed"]);
    await kata.whenRunning("killed");
    await kata.ok(["kill", "killed", "KILL"]);
    expect((await killed).exitCode).toBe(137);
  });

  it("gives a container the bind mounts of config.json, read-only where asked", async () => {
    await using kata = new Kata();
    const { path, rootfs } = await kata.bundle({
      args: ["sh", "-c", "cat /data/file; echo more >> /data/new; echo no > /frozen/x; cat /single"],
      edit: (spec) => {
        spec.root.readonly = false;
        spec.mounts.push(
          { destination: "/data", type: "bind", source: kata.file("data/file", "shared\n"), options: ["rbind", "rw"] },
          { destination: "/frozen", type: "bind", source: kata.file("frozen/x", "kept\n"), options: ["bind", "ro"] },
          { destination: "/single", type: "bind", source: kata.file("one/single", "alone\n"), options: ["bind"] },
        );
        for (const mount of spec.mounts) {
          if (mount.destination === "/data" || mount.destination === "/frozen")
            mount.source = String(mount.source).replace(/\/[^/]*$/, "");
        }
      },
    });
    const result = await kata.run(["run", "--bundle", path, kata.id()]);
    expect(result.stdout).toBe("shared\nalone");
    expect(result.stderr).toContain("Read-only file system");
    expect(kata.read("data/new")).toBe("more\n");
    expect(kata.read("frozen/x")).toBe("kept\n");
    expect(rootfs).toContain("rootfs");
  });
});
