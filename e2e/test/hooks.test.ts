import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import type { Kata } from "../harness/kata.ts";
import { RUNTIMES } from "../harness/runtimes.ts";

interface Told {
  readonly hook: string;
  readonly ociVersion: string;
  readonly id: string;
  readonly status: string;
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const HOST_KINDS = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"] as const;

/** A hook that appends to a log its name, its environment and the state that it is given. */
function telling(log: string, kind: string, more = ""): object {
  const script = `printf '%s|%s|%s|' ${kind} "$0" "$(env | grep -c .)/$GIVEN" >> ${log}; cat >> ${log}; echo >> ${log}; ${more}`;
  return { path: "/bin/sh", args: ["my-argv0", "-c", script], env: ["GIVEN=yes", "PATH=/bin:/usr/bin"] };
}

function readLog(file: string): (Told & { argv0: string; environment: string })[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [hook = "", argv0 = "", environment = "", ...state] = line.split("|");
      return { ...(JSON.parse(state.join("|")) as Told), hook, argv0, environment };
    });
}

describe.each(RUNTIMES)("hooks under %s", (name, open) => {
  expectCleanHost();

  async function bundleWith(runtime: Kata, hooks: object, edit: (spec: EditableSpec) => void = () => undefined) {
    return runtime.bundle({
      args: ["sh", "-c", "cat /shared/inside; exec sleep 1000"],
      edit: (spec) => {
        spec.annotations = { "org.example.key": "value" };
        spec.hooks = hooks;
        edit(spec);
      },
    });
  }

  it("run in order, each with the state, its own arguments and environment", async () => {
    await using runtime = open();
    const log = runtime.file("hooks.log", "");
    const shared = join(runtime.directory, "shared");
    mkdirSync(shared);
    const hooks = Object.fromEntries(HOST_KINDS.map((kind) => [kind, [telling(log, kind)]]));
    const bundle = await bundleWith(
      runtime,
      {
        ...hooks,
        // In the container, by a program of the container.
        startContainer: [{ path: "/bin/sh", args: ["sh", "-c", "cat > /shared/inside"], env: ["PATH=/bin"] }],
      },
      (spec) => spec.mounts.push({ destination: "/shared", type: "bind", source: shared, options: ["bind"] }),
    );
    const id = runtime.id();
    await runtime.create(id, bundle.path);
    // runc runs poststart hooks before the start already.
    const early = name === "runc" ? ["poststart"] : [];
    expect(readLog(log).map(({ hook }) => hook)).toEqual(["prestart", "createRuntime", "createContainer", ...early]);
    const { pid } = await runtime.state(id);
    await runtime.ok(["start", id]);
    const running = name === "runc" ? "created" : "running";
    expect(readLog(log).at(-1)).toMatchObject({ hook: "poststart", status: running, pid });
    const inside = JSON.parse(readFileSync(join(shared, "inside"), "utf8")) as Told;
    expect(inside).toMatchObject({
      id,
      status: "created",
      bundle: bundle.path,
      annotations: { "org.example.key": "value" },
    });
    await runtime.ok(["delete", "--force", id]);

    const told = readLog(log);
    expect(told.map(({ hook, status }) => [hook, status])).toEqual([
      ["prestart", "creating"],
      ["createRuntime", "creating"],
      ["createContainer", "creating"],
      ["poststart", running],
      ["poststop", "stopped"],
    ]);
    for (const state of told) {
      expect(state).toMatchObject({ id, bundle: bundle.path, annotations: { "org.example.key": "value" } });
      expect(state.ociVersion).toMatch(/^1\./);
      expect(state.argv0).toBe("my-argv0");
      // GIVEN and PATH; a shell adds PWD, SHLVL and _ on its own.
      expect(state.environment).toMatch(/^[2-5]\/yes$/);
    }
    expect(told[0]?.pid).toBe(pid);
    expect(told.at(-1)?.pid ?? 0).toBe(0);
  });

  it.each(["prestart", "createRuntime", "createContainer"])(
    "that fail in %s end the create, with all taken back",
    async (kind) => {
      await using runtime = open();
      const log = runtime.file("hooks.log", "");
      const failing = { path: "/bin/sh", args: ["sh", "-c", "echo because >&2; exit 3"] };
      const bundle = await bundleWith(runtime, { [kind]: [failing], poststop: [telling(log, "poststop")] });
      const result = await runtime.run(["create", "--bundle", bundle.path, "fails"]);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toMatch(/hook #0.*exit status 3.*because/s);
      expect((await runtime.run(["state", "fails"])).exitCode).toBe(1);
      expect(await runtime.ok(["list", "-q"])).toBe("");
      if (name !== "runc") expect(readLog(log).map(({ hook }) => hook)).toEqual(["poststop"]);
    },
  );

  it("that take longer than their timeout are killed", async () => {
    await using runtime = open();
    const bundle = await bundleWith(runtime, {
      prestart: [{ path: "/bin/sleep", args: ["sleep", "100"], timeout: 1 }],
    });
    const result = await runtime.run(["create", "--bundle", bundle.path, "slow"]);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("timeout of 1.0s") as string });
    expect(await runtime.ok(["list", "-q"])).toBe("");
  });

  it("that fail after the container stopped do not keep it from being deleted", async () => {
    await using runtime = open();
    const log = runtime.file("hooks.log", "");
    const bundle = await bundleWith(runtime, {
      poststop: [{ path: "/bin/false" }, telling(log, "poststop")],
    });
    await runtime.create("gone", bundle.path);
    const deleted = await runtime.run(["delete", "--force", "gone"]);
    expect(deleted.exitCode).toBe(0);
    expect(deleted.stderr).toMatch(/level=(warning|error).*hook #0/);
    expect(await runtime.ok(["list", "-q"])).toBe("");
    expect(readLog(log)).toHaveLength(name === "runc" ? 0 : 1);
  });

  it("are checked before anything is made", async () => {
    await using runtime = open();
    const bundle = await bundleWith(runtime, { prestart: [{ path: "relative" }] });
    const result = await runtime.run(["create", "--bundle", bundle.path, "relative"]);
    expect(result.exitCode).toBe(1);
    expect(await runtime.ok(["list", "-q"])).toBe("");
  });
});

describe("hooks of ours alone", () => {
  expectCleanHost();

  it("that fail after the start are warned about, and the container runs on", async () => {
    const [, open] = RUNTIMES[0] ?? [];
    if (open === undefined) throw new Error("no runtime");
    await using runtime = open();
    const { path } = await runtime.bundle({
      args: ["sleep", "1000"],
      edit: (spec) => {
        spec.hooks = { poststart: [{ path: "/bin/false" }] };
      },
    });
    await runtime.create("on", path);
    const started = await runtime.run(["start", "on"]);
    expect(started).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/level=warning.*hook #0 of poststart/) as string,
    });
    expect((await runtime.state("on")).status).toBe("running");
  });
});
