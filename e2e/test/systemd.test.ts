import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { Kata } from "../harness/kata.ts";
import { RUNTIME } from "../harness/paths.ts";
import { SystemdHost } from "../harness/systemd-host.ts";

const MIB = 1024 ** 2;
const SLICE = "katae2e.slice";

/** The runtime on a host that systemd manages. */
class ManagedKata extends Kata {
  readonly host: SystemdHost;

  constructor(host: SystemdHost, globals: readonly string[]) {
    super(globals, "nsenter-is-used");
    this.host = host;
  }

  override run(args: readonly string[]): ReturnType<Kata["run"]> {
    return this.host.run(RUNTIME, ["--root", this.root, ...this.globals, ...args]);
  }

  /** Creates and starts; its streams go nowhere. */
  async live(id: string, edit: (spec: EditableSpec) => void): Promise<void> {
    const { path } = await this.bundle({ args: ["sleep", "1000"], edit });
    const quiet = `exec "$0" "$@" </dev/null >/dev/null 2>${this.directory}/said`;
    const args = ["--root", this.root, ...this.globals, "create", "--bundle", path, id];
    const { exitCode } = await this.host.run("sh", ["-c", quiet, RUNTIME, ...args]);
    expect({ exitCode, said: this.read("said") }).toEqual({ exitCode: 0, said: "" });
    await this.ok(["start", id]);
  }
}

function limited(cgroupsPath: string): (spec: EditableSpec) => void {
  return (spec) => {
    const resources = { memory: { limit: 128 * MIB }, cpu: { shares: 512, quota: 100_000, period: 100_000 } };
    spec.linux = { ...(spec.linux as object), cgroupsPath, resources: { ...resources, pids: { limit: 10 } } };
  };
}

/** A unit's property, as systemd has it. */
async function property(host: SystemdHost, unit: string, name: string): Promise<string> {
  return (await host.ok("systemctl", ["show", "--property", name, "--value", unit])).trim();
}

function memoryLimit(host: SystemdHost, unit: string): number {
  const files = host
    .directories(`${SLICE}/${unit}`)
    .flatMap((path) => [join(path, "memory.limit_in_bytes"), join(path, "memory.max")]);
  return Number(readFileSync(files.find((file) => existsSync(file)) ?? "", "latin1"));
}

describe("a host that systemd manages", () => {
  let host: SystemdHost;

  beforeAll(async () => {
    host = await SystemdHost.start();
  });

  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  it("has a container's VM in a scope of its own, whose limits outlast a reload", async () => {
    await using kata = new ManagedKata(host, ["--systemd-cgroup"]);
    const id = kata.id();
    const unit = `cri-${id}.scope`;
    await kata.live(id, limited(`${SLICE}:cri:${id}`));
    const limit = (128 + 2048 + 512) * MIB;
    const shown = async (): Promise<object> => ({
      active: await property(host, unit, "ActiveState"),
      slice: await property(host, unit, "Slice"),
      delegated: await property(host, unit, "Delegate"),
      tasks: await property(host, unit, "TasksMax"),
      cpu: await property(host, unit, "CPUQuotaPerSecUSec"),
      memory: memoryLimit(host, unit),
    });
    const expected = { active: "active", slice: SLICE, delegated: "yes", tasks: "1184", cpu: "3s", memory: limit };
    expect(await shown()).toEqual(expected);
    const tree = await host.ok("systemd-cgls", ["--no-pager", "--unit", unit]);
    expect(tree).toContain("qemu-system");
    await host.ok("systemctl", ["daemon-reload"]);
    expect(await shown()).toEqual(expected);
    await kata.ok(["update", "--memory", "256m", id]);
    await host.ok("systemctl", ["daemon-reload"]);
    expect(memoryLimit(host, unit)).toBe((256 + 2048 + 512) * MIB);
    await kata.ok(["delete", "--force", id]);
    expect(await property(host, unit, "LoadState")).toBe("not-found");
    expect(host.directories(`${SLICE}/${unit}`)).toEqual([]);
  });

  it("is reported by check, and refuses a path that is no unit's where the option asks for one", async () => {
    await using kata = new ManagedKata(host, ["--systemd-cgroup"]);
    expect(JSON.parse((await kata.run(["check", "--json"])).stdout)).toMatchObject({
      prerequisites: expect.arrayContaining([
        expect.objectContaining({ name: "cgroups", found: expect.stringMatching(/, managed by systemd$/) as string }),
      ]) as object[],
    });
    const { path } = await kata.bundle({ args: ["true"], edit: limited("/plain/path") });
    expect(await kata.run(["run", "--bundle", path, "plain"])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/cgroupsPath .*plain.path.* is not of the form slice:prefix:name/) as string,
    });
    expect(await kata.ok(["list", "-q"])).toBe("");
  });

  it("is quoted where it refuses, and nothing is left of the container", async () => {
    await using kata = new ManagedKata(host, []);
    const { path } = await kata.bundle({ args: ["true"], edit: limited(`${SLICE}:a b:bad`) });
    const { exitCode, stderr } = await kata.run(["run", "--bundle", path, "bad"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/systemd could not make a b-bad.scope in katae2e.slice: /);
    expect(await kata.ok(["list", "-q"])).toBe("");
    expect(host.directories(`${SLICE}/a b-bad.scope`)).toEqual([]);
  });

  it("loses a scope whose runtime was killed in the middle of a create to gc", async () => {
    await using kata = new ManagedKata(host, ["--systemd-cgroup"]);
    const id = kata.id();
    const unit = `cri-${id}.scope`;
    const { path } = await kata.bundle({ args: ["true"], edit: limited(`${SLICE}:cri:${id}`) });
    const args = ["--root", kata.root, ...kata.globals, "create", "--bundle", path, id];
    const kill = `"$0" "$@" </dev/null >/dev/null 2>&1 & until systemctl is-active -q ${unit}; do :; done; kill -9 $!`;
    await host.ok("sh", ["-c", kill, RUNTIME, ...args]);
    await kata.ok(["gc"]);
    expect(await kata.ok(["list", "-q"])).toBe("");
    expect(await property(host, unit, "LoadState")).toBe("not-found");
    expect(host.directories(`${SLICE}/${unit}`)).toEqual([]);
  });
});
