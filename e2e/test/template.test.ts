import { copyFileSync, existsSync, readdirSync, readFileSync, truncateSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { connectAgent } from "@kata-ts/agent-protocol";
import { identifyProcess, isAlive, type ProcessIdentity } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Call } from "../harness/faults/call.ts";
import { childrenOf, commandOf } from "../harness/faults/victims.ts";
import { pythonRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { SHARE } from "../harness/paths.ts";

const SLEEP = { args: ["sleep", "1000"] };
const BOOTED = /the VM is booted/;

/** A runtime whose VMs are cloned from templates of its own. */
function withTemplates(hypervisor = ""): Kata {
  const kata = new Kata();
  const toml = `[hypervisor.qemu]\n${hypervisor}\n[factory]\nenable_template = true\ntemplate_path = "${templatesOf(kata)}"\n`;
  kata.globals = ["--config", kata.file("configuration.toml", toml)];
  return kata;
}

function templatesOf(kata: Kata): string {
  return join(kata.directory, "templates");
}

function finished(kata: Kata): string[] {
  return readdirSync(templatesOf(kata)).filter((name) => /^[0-9a-f]{32}$/.test(name));
}

function isClone(kata: Kata, id: string): boolean {
  return "memoryImage" in (JSON.parse(readFileSync(join(kata.vmDirectory(id), "spec.json"), "utf8")) as object);
}

/** What a guest draws: its kernel's pool in three ways, and twice what its agent makes of it. */
async function secretsOf(kata: Kata, id: string): Promise<string[]> {
  const pool = "cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid; od -An -tx1 -N16 /dev/urandom";
  const drawn = (await kata.ok(["exec", id, "sh", "-c", pool])).split("\n");
  using agent = connectAgent(`unix://${join(kata.vmDirectory(id), "proxy.sock")}`);
  const config = { user: { uid: 0, gid: 0 }, cwd: "/", args: ["true"], env: ["PATH=/bin"] };
  for (const exec_id of ["one", "two"]) {
    const request = { container_id: id, exec_id, process: Buffer.from(JSON.stringify(config)) };
    drawn.push(Buffer.from((await agent.execFromConfig(request)).token).toString("hex"));
  }
  return drawn;
}

/** The QEMU that a call makes a template with. */
async function qemuOf(pid: number): Promise<ProcessIdentity> {
  for (;;) {
    const qemu = childrenOf(pid).find((child) => {
      try {
        return /^\/usr\/bin\/qemu-system.* guest=template /.test(commandOf(child));
      } catch {
        return false; // Another one, that has just ended.
      }
    });
    if (qemu !== undefined) return identifyProcess(qemu);
    await new Promise(setImmediate);
  }
}

describe("templates", () => {
  expectCleanHost();

  it("are made once, however many ask; their clones do what a booted VM does", async () => {
    await using kata = withTemplates();
    expect(await kata.ok(["factory", "status"])).toBe("vm factory is off");
    const answers = await Promise.all([1, 2].map(() => kata.ok(["factory", "init"])));
    expect(answers).toEqual(["vm factory initialized", "vm factory initialized"]);
    expect(finished(kata)).toHaveLength(1);
    expect(await kata.ok(["factory", "status"])).toMatch(/^vm factory is on: /);

    const edit = (spec: EditableSpec): void => {
      spec.linux = { ...(spec.linux as object), resources: { memory: { limit: 3 * 2 ** 30 } } };
    };
    const image = await pythonRootfs();
    const id = await kata.start({ ...SLEEP, image, edit });
    expect(isClone(kata, id)).toBe(true);
    const python = "import os, time; print(os.sysconf('SC_PHYS_PAGES') * 4 // 2 ** 20 >= 4, int(time.time()))";
    const [grown, seconds] = (await kata.ok(["exec", id, "python3", "-c", python])).split(" ");
    expect(grown).toBe("True");
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(5);
    const large = 'import sys; sys.stdout.buffer.write(b"x" * (8 << 20))';
    expect((await kata.ok(["exec", id, "python3", "-c", large])).length).toBe(8 << 20);
    await kata.ok(["pause", id]);
    await kata.ok(["resume", id]);
    await kata.ok(["kill", id, "KILL"]);
    await kata.until(id, "stopped");
    await kata.ok(["delete", id]);

    expect(await kata.ok(["factory", "destroy"])).toBe("vm factory destroyed");
    expect(existsSync(templatesOf(kata))).toBe(false);
  });

  it("give their clones no secret and no name in common", async () => {
    await using kata = withTemplates();
    await kata.ok(["factory", "init"]);
    const clones = await Promise.all([kata.start(SLEEP), kata.start(SLEEP)]);
    const secrets = await Promise.all(clones.map((id) => secretsOf(kata, id)));
    expect(clones.map((id) => isClone(kata, id))).toEqual([true, true]);
    expect(secrets.map((each) => each.length)).toEqual([5, 5]);
    expect(new Set(secrets.flat()).size).toBe(10);
  });

  it("that are missing, broken or of something else are not used: the VM is booted, and the log says so", async () => {
    const kernel = (kata: Kata): string => join(kata.directory, "vmlinux");
    await using kata = withTemplates();
    copyFileSync(join(SHARE, "vmlinux"), kernel(kata));
    const own = readFileSync(join(kata.directory, "configuration.toml"), "utf8");
    kata.file("configuration.toml", own.replace("[hypervisor.qemu]", `[hypervisor.qemu]\nkernel = "${kernel(kata)}"`));
    const { path } = await kata.bundle({ args: ["echo", "runs"] });
    const run = () => kata.run(["run", "--bundle", path, kata.id()]);
    expect(await run()).toMatchObject({ exitCode: 0, stdout: "runs", stderr: expect.stringMatching(BOOTED) as string });

    await kata.ok(["factory", "init"]);
    const cloned = await run();
    expect(cloned).toMatchObject({ exitCode: 0, stdout: "runs" });
    expect(cloned.stderr).not.toMatch(BOOTED);

    const [key = ""] = finished(kata);
    truncateSync(join(templatesOf(kata), key, "state"), 1000);
    expect(await run()).toMatchObject({ exitCode: 0, stdout: "runs", stderr: expect.stringMatching(BOOTED) as string });

    // Another kernel, as far as one can tell without reading it.
    utimesSync(kernel(kata), new Date(), new Date());
    expect(await kata.ok(["factory", "status"])).toBe("vm factory is off");
    const template = join(templatesOf(kata), key);
    expect(await kata.ok(["gc", "--dry-run"])).toBe(`would remove template ${template}: nothing can be cloned from it`);
    expect(await kata.ok(["gc"])).toBe(`removed template ${template}: nothing can be cloned from it`);
    expect(readdirSync(templatesOf(kata))).toEqual([]);
  });

  it("are whole or not there: a call that is killed while it makes one leaves what gc removes", async () => {
    await using kata = withTemplates();
    await using builder = new Call(kata, ["factory", "init"]);
    const qemu = await qemuOf(builder.pid);
    builder.child.kill("SIGKILL");
    await builder.ended;
    while (isAlive(qemu)) await new Promise(setImmediate);
    expect(finished(kata)).toEqual([]);
    expect(await kata.ok(["gc"])).toMatch(/removed vm .*\n?.*removed template|removed template .*\n?.*removed vm/);
    expect(readdirSync(templatesOf(kata))).toEqual([]);
    await kata.ok(["factory", "init"]);
    expect(finished(kata)).toHaveLength(1);
  });

  it("are refused where they are not enabled", async () => {
    await using kata = new Kata();
    expect(await kata.ok(["factory", "status"])).toBe("vm factory is not enabled");
    const refused = await kata.run(["factory", "init"]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("enable_template") as string });
  });
});
