import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { identifyProcess, isAlive } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { HostUse } from "../harness/host-use.ts";
import { Kata } from "../harness/kata.ts";
import { cacheSettled } from "../harness/leaks.ts";
import { rotated } from "../harness/rotation.ts";

/** In the soak test, five times and two hundred. */
const ROUNDS = Number(process.env.KATA_TEST_ROUNDS ?? 1);
const SEQUENCE = Number(process.env.KATA_TEST_SEQUENCE ?? 2);
/** What else runs on the host opens files and takes memory of the kernel's, too: so much, not so much a sandbox. */
const OPEN_FILES_NOISE = 400;
const KERNEL_NOISE_KIB = 32 * 1024;

describe("the classic life cycle", () => {
  expectCleanHost();

  it("tells the truth at each step", async () => {
    await using kata = new Kata();
    const id = kata.id();
    const proof = kata.file("shared/before", "");
    const { path } = await kata.bundle({
      args: ["sh", "-c", "touch /shared/started; exec sleep 1000"],
      edit: (spec) =>
        spec.mounts.push({ destination: "/shared", type: "bind", source: join(proof, ".."), options: ["bind"] }),
    });
    const pidFile = join(kata.directory, "pid");
    await kata.create(id, path, ["--pid-file", pidFile]);

    const created = await kata.state(id);
    expect(created).toMatchObject({
      id,
      status: "created",
      bundle: path,
      ociVersion: expect.stringMatching(/^1\./) as string,
    });
    expect(created.pid).toBe(Number(readFileSync(pidFile, "utf8")));
    expect(readFileSync(`/proc/${String(created.pid)}/cmdline`, "utf8")).toContain("kata-shim");
    expect(existsSync(join(kata.directory, "shared/started"))).toBe(false);
    const shim = identifyProcess(created.pid);

    await kata.ok(["start", id]);
    await until(() => existsSync(join(kata.directory, "shared/started")));
    expect((await kata.state(id)).status).toBe("running");
    expect((await kata.run(["start", id])).stderr).toContain("cannot start an already running container");
    expect(await kata.ok(["list", "-q"])).toBe(id);
    expect(JSON.parse(await kata.ok(["list", "--format", "json"]))).toMatchObject([
      { id, status: "running", pid: shim.pid },
    ]);
    expect(await kata.ok(["list"])).toMatch(
      new RegExp(`^ID +PID +STATUS +BUNDLE +CREATED +OWNER\n${id} +${String(shim.pid)} +running `),
    );

    expect(await kata.ok(["ps", id])).toMatch(/PID.*\n.*sleep 1000/);
    expect(JSON.parse(await kata.ok(["ps", "--format", "json", id]))).toEqual([shim.pid]);

    await kata.ok(["pause", id]);
    expect((await kata.state(id)).status).toBe("paused");
    expect((await kata.run(["exec", id, "true"])).exitCode).toBe(255);
    await kata.ok(["resume", id]);
    expect((await kata.state(id)).status).toBe("running");

    const refused = await kata.run(["delete", id]);
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("that is not stopped: running") as string,
    });
    expect(isAlive(shim)).toBe(true);

    await kata.ok(["kill", id, "SIGKILL"]);
    const stopped = await kata.until(id, "stopped");
    expect(stopped.pid).toBe(0);
    expect(isAlive(shim)).toBe(false);
    expect(await kata.run(["kill", id, "9"])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("container not running") as string,
    });
    expect((await kata.run(["start", id])).stderr).toContain("cannot start a container that has stopped");
    await kata.ok(["delete", id]);
    expect(await kata.run(["state", id])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("does not exist") as string,
    });
    expect(JSON.parse(await kata.ok(["list", "-f", "json"]))).toBeNull();
  });

  it("deletes by force from every state, twice", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["sleep", "1000"] });
    await kata.create("made", path);
    await kata.ok(["delete", "--force", "made"]);
    await kata.ok(["delete", "--force", "made"]);
    await kata.create("runs", path);
    await kata.ok(["start", "runs"]);
    const began = Date.now();
    await kata.ok(["delete", "--force", "runs"], { env: {} });
    expect(Date.now() - began).toBeLessThan(5_000); // containerd gives up after five seconds
    await kata.ok(["delete", "--force", "runs"]);
  });

  it("exits with the process's own status, from 0 to 255, and 128 + n for signals", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const all = Array.from({ length: 256 }, (_, status) => status);
    const wanted = [...new Set([0, 1, 2, 125, 126, 127, 128, 137, 143, 254, 255, ...rotated(all, 12)])];
    const seen: (number | null)[] = [];
    const next = wanted.entries();
    const worker = async (): Promise<void> => {
      for (const [index, status] of next)
        seen[index] = (await kata.run(["exec", id, "sh", "-c", `exit ${String(status)}`])).exitCode;
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    expect(seen).toEqual(wanted);
    for (const signal of [1, 2, 9, 15]) {
      const result = await kata.run(["exec", id, "sh", "-c", `kill -${String(signal)} $$`]);
      expect(result.exitCode).toBe(128 + signal);
    }
  }, 600_000);

  it("runs more processes in a container, each with its own streams, user, directory and environment", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"], env: ["KEPT=yes"] });
    const options = ["--cwd", "/tmp", "--env", "A=b c", "-e", "D=e", "--user", "1000:100"];
    const result = await kata.run(
      ["exec", ...options, id, "sh", "-c", "pwd; id -u; id -g; echo $KEPT $A $D; cat; echo err >&2"],
      { input: "typed\n" },
    );
    expect(result.stdout).toBe("/tmp\n1000\n100\nyes b c e\ntyped");
    expect(result.stderr).toBe("err");

    const process = kata.file(
      "process.json",
      JSON.stringify({
        args: ["sh", "-c", "echo $X; exit 5"],
        env: ["X=from process.json", "PATH=/bin"],
        cwd: "/",
        user: { uid: 0, gid: 0 },
      }),
    );
    expect(await kata.run(["exec", "--process", process, id])).toMatchObject({
      stdout: "from process.json",
      exitCode: 5,
    });

    const pidFile = join(kata.directory, "exec.pid");
    const detached = await kata.run(["exec", "--detach", "--pid-file", pidFile, id, "sleep", "2"], {
      detachedStreams: true,
    });
    expect(detached.exitCode).toBe(0);
    const shim = identifyProcess(Number(readFileSync(pidFile, "utf8")));
    expect(isAlive(shim)).toBe(true);
    await until(() => !isAlive(shim));

    const missing = await kata.run(["exec", id, "/no/such/program"]);
    expect(missing.exitCode).not.toBe(0);
    expect(missing.stderr).toMatch(/no such file/i);
    expect(await kata.run(["exec", id, "echo", "--cwd", "-x"])).toMatchObject({ stdout: "--cwd -x" });
  });

  it("kills by names and by numbers", async () => {
    await using kata = new Kata();
    const script =
      "for s in HUP USR1 USR2 TERM; do trap \"echo $s\" $s; done; trap 'exit 0' INT; echo ready; while :; do sleep 0.05; done";
    const { path } = await kata.bundle({ args: ["sh", "-c", script] });
    const { ended } = await kata.runUntilReady("k", path);
    for (const signal of ["HUP", "SIGUSR1", "12", "term"]) {
      await kata.ok(["kill", "k", signal]);
      // The shell runs one trap after the other: wait until it slept again.
      await kata.ok(["exec", "k", "sleep", "0.3"]);
    }
    expect((await kata.run(["kill", "k", "NOSUCH"])).stderr).toContain("unknown signal");
    await kata.ok(["kill", "k", "INT"]);
    expect(await ended).toMatchObject({ exitCode: 0, stdout: "ready\nHUP\nUSR1\nUSR2\nTERM" });
  });

  it(`runs ten sandboxes at once, ${String(ROUNDS)} times`, async () => {
    await using home = new Kata();
    // Ten booting guests share two cores here.
    await using kata = new Kata(["--config", home.file("patient.toml", "[runtime]\nboot_timeout = 240\n")]);
    const { path } = await kata.bundle({ args: ["sh", "-c", "hostname; read line; echo $line"] });
    const ids = Array.from({ length: 10 }, (_, index) => `ten-${String(index)}`);
    for (let round = 0; round < ROUNDS; round++) {
      const results = await Promise.all(ids.map((id) => kata.run(["run", "--bundle", path, id], { input: `${id}\n` })));
      expect(results.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(ids.map((id) => [0, `runc\n${id}`]));
      expect(JSON.parse(await kata.ok(["list", "--format", "json"]))).toBeNull();
    }
  }, 3_600_000);

  it(`leaves the host as it was after ${String(SEQUENCE)} sandboxes, one after the other`, async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["true"] });
    const runOne = () => kata.ok(["run", "--bundle", path, "one-of-many"]);
    await runOne(); // What the first one loads stays in the host's caches.
    await cacheSettled();
    const before = new HostUse();
    for (let turn = 0; turn < SEQUENCE; turn++) await runOne();
    await cacheSettled();
    const after = new HostUse();
    expect(after.mounts).toBe(before.mounts);
    expect(after.networkNamespaces).toBe(before.networkNamespaces);
    expect((after.openFiles - before.openFiles) / SEQUENCE).toBeLessThan(OPEN_FILES_NOISE / SEQUENCE);
    expect((after.kernelKiB - before.kernelKiB) / SEQUENCE).toBeLessThan(KERNEL_NOISE_KIB / SEQUENCE);
  }, 3_600_000);
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
