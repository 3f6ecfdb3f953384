import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { RUNTIMES } from "../harness/runtimes.ts";

interface Event {
  readonly type: string;
  readonly id: string;
  readonly data?: {
    readonly memory: { readonly usage: { readonly limit: number; readonly usage: number } };
    readonly pids: { readonly current: number; readonly limit: number };
    readonly cpu: { readonly usage: { readonly total: number } };
  };
}

describe.each(RUNTIMES)("verbs under %s", (_name, open) => {
  expectCleanHost();

  it("update changes limits by options, by a file and from standard input; events tell them", async () => {
    await using runtime = open();
    const id = await runtime.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        spec.linux = { ...(spec.linux as object), resources: { memory: { limit: 64 * 2 ** 20 }, pids: { limit: 50 } } };
      },
    });
    const stats = async (): Promise<Event> => JSON.parse(await runtime.ok(["events", "--stats", id])) as Event;
    const before = await stats();
    expect(before).toMatchObject({ type: "stats", id });
    expect(before.data?.memory.usage.limit).toBe(64 * 2 ** 20);
    expect(before.data?.memory.usage.usage).toBeGreaterThan(0);
    expect(before.data?.cpu.usage.total).toBeGreaterThan(0);
    expect(before.data?.pids).toMatchObject({ current: 1, limit: 50 });

    await runtime.ok(["update", "--memory", "96m", "--pids-limit", "20", id]);
    expect((await stats()).data).toMatchObject({ memory: { usage: { limit: 96 * 2 ** 20 } }, pids: { limit: 20 } });
    const resources = { memory: { limit: 128 * 2 ** 20 }, pids: { limit: 30 } };
    await runtime.ok(["update", "--resources", runtime.file("r.json", JSON.stringify(resources)), id]);
    expect((await stats()).data).toMatchObject({ memory: { usage: { limit: 128 * 2 ** 20 } }, pids: { limit: 30 } });
    await runtime.ok(["update", "--resources", "-", id], { input: JSON.stringify({ pids: { limit: 40 } }) });
    expect((await stats()).data?.pids.limit).toBe(40);
    expect((await runtime.run(["update", "--memory", "much", id])).exitCode).toBe(1);
    expect((await runtime.run(["update", "--resources", "/none.json", id])).exitCode).toBe(1);
    await runtime.ok(["kill", id, "KILL"]);
    await runtime.until(id, "stopped");
    expect((await runtime.run(["update", "--memory", "1g", id])).exitCode).toBe(1);
  });

  it("exec has runc's options: privileges, groups, a process file, and everything after the id is the command's", async () => {
    await using runtime = open();
    const id = await runtime.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        spec.process.noNewPrivileges = false;
      },
    });
    const status = "grep -E '^(NoNewPrivs|CapBnd|Groups)' /proc/self/status | tr -s '\\t\\n' ' '; pwd; echo $A";
    const options = ["--no-new-privs", "--cap", "CAP_SYS_NICE", "-g", "7", "-g", "8", "--cwd", "/tmp", "-e", "A=1"];
    const changed = await runtime.ok(["exec", ...options, id, "sh", "-c", status]);
    expect(changed).toMatch(/Groups: ?(0 )?7 8 CapBnd: 0000000020800420 NoNewPrivs: 1 \/tmp\n1$/);
    expect(await runtime.ok(["exec", id, "sh", "-c", status])).toContain("NoNewPrivs: 0");
    expect(await runtime.ok(["exec", id, "echo", "--tty", "--", "-d"])).toBe("--tty -- -d");
    const failing = ["exec", "--process", runtime.file("bad.json", "{"), id];
    expect((await runtime.run(failing)).exitCode).toBe(255);
    expect((await runtime.run(["exec", id])).exitCode).not.toBe(0);
    await runtime.ok(["pause", id]);
    const paused = await runtime.run(["exec", id, "true"]);
    expect(paused.stderr).toContain("cannot exec in a paused container (use --ignore-paused to override)");
    await runtime.ok(["resume", id]);
    expect((await runtime.run(["exec", id, "sh", "-c", "exit 42"])).exitCode).toBe(42);
  });

  it("exec puts a process into a cgroup below the container's; run takes --no-subreaper", async () => {
    await using runtime = open();
    const id = await runtime.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        for (const mount of spec.mounts) {
          if (mount.type === "cgroup") mount.options = (mount.options ?? []).filter((option) => option !== "ro");
        }
        const { namespaces, ...linux } = spec.linux as { namespaces: { type: string }[] };
        spec.linux = {
          ...linux,
          namespaces: [...namespaces.filter(({ type }) => type !== "cgroup"), { type: "cgroup" }],
        };
      },
    });
    const v2 = (await runtime.ok(["exec", id, "cat", "/proc/self/cgroup"])).startsWith("0::");
    const [mine, option] = v2 ? ["/sys/fs/cgroup/below", "below"] : ["/sys/fs/cgroup/pids/below", "pids:below"];
    await runtime.ok(["exec", id, "mkdir", mine]);
    const below = await runtime.ok(["exec", "--cgroup", option, id, "cat", "/proc/self/cgroup"]);
    expect(below).toMatch(v2 ? /^0::\/below$/m : /:pids:\/below$/m);
    const missing = await runtime.run(["exec", "--cgroup", `${option}-not`, id, "true"]);
    expect(missing.exitCode).toBe(255);
    const outside = await runtime.run(["exec", "--cgroup", v2 ? "../x" : "pids:../x", id, "true"]);
    expect(outside).toMatchObject({ exitCode: 255 });
    expect(outside.stderr).toContain("is not a sub cgroup path");
    const { path } = await runtime.bundle({ args: ["echo", "run"] });
    expect(await runtime.ok(["run", "--no-subreaper", "--bundle", path, runtime.id()])).toBe("run");
    await runtime.ok(["delete", "--force", id]);
  });

  it("of the wrong state are refused, with the same exit status", async () => {
    await using runtime = open();
    const id = runtime.id();
    const { path } = await runtime.bundle({ args: ["sleep", "1000"] });
    await runtime.create(id, path);
    expect((await runtime.state(id)).status).toBe("created");
    expect((await runtime.run(["resume", id])).exitCode).toBe(1);
    expect(await runtime.run(["exec", id, "echo", "before the start"])).toMatchObject({ stdout: "before the start" });
    await runtime.ok(["start", id]);
    expect((await runtime.run(["start", id])).exitCode).toBe(1);
    expect((await runtime.run(["delete", id])).exitCode).toBe(1);
    expect((await runtime.run(["resume", id])).exitCode).toBe(1);
    await runtime.ok(["pause", id]);
    expect((await runtime.state(id)).status).toBe("paused");
    expect((await runtime.run(["pause", id])).exitCode).toBe(1);
    await runtime.ok(["resume", id]);
    await runtime.ok(["kill", id, "SIGKILL"]);
    await runtime.until(id, "stopped");
    for (const args of [
      ["pause", id],
      ["exec", id, "true"],
      ["start", id],
      ["kill", id],
    ]) {
      expect((await runtime.run(args)).exitCode, args.join(" ")).not.toBe(0);
    }
    await runtime.ok(["delete", id]);
    expect((await runtime.run(["delete", id])).exitCode).toBe(1);
    expect((await runtime.run(["delete", "--force", id])).exitCode).toBe(0);

    // A container that was only created can be killed.
    await runtime.create(id, path);
    await runtime.ok(["kill", id, "KILL"]);
    await runtime.until(id, "stopped");
  });
});

// runc's watcher does not end by itself here, on a host with cgroup v1.
describe("events of ours alone", () => {
  expectCleanHost();

  it("events go on until the container stops, and tell when it runs out of memory", async () => {
    await using runtime = new Kata();
    const id = await runtime.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        spec.linux = {
          ...(spec.linux as object),
          resources: { memory: { limit: 24 * 2 ** 20, swap: 24 * 2 ** 20 } },
        };
      },
    });
    const watching = runtime.run(["events", "--interval", "1s", id]);
    await runtime.ok(["events", "--stats", id]); // The other watcher is up, or nearly.
    const eaten = await runtime.run(["exec", id, "sh", "-c", "sleep 2; tail -c 64m /dev/zero"]);
    expect(eaten.exitCode).toBe(137);
    await runtime.ok(["kill", id, "KILL"]);
    const { stdout } = await watching;
    const types = new Set(stdout.split("\n").map((line) => (JSON.parse(line) as Event).type));
    expect([...types].sort()).toEqual(["oom", "stats"]);
  });
});

describe("what a virtual machine has no use for", () => {
  expectCleanHost();

  it("is refused by name", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["true"] });
    for (const args of [
      ["create", "--bundle", path, "--preserve-fds", "1", "fds"],
      ["exec", "--preserve-fds", "1", "fds", "true"],
    ]) {
      expect((await kata.run(args)).stderr).toContain("--preserve-fds 1: descriptors cannot be passed");
    }
    expect(JSON.parse(await kata.ok(["features"]))).toMatchObject({
      ociVersionMin: "1.0.0",
      hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
    });
  });
});

describe("delete --regex, as crun has it", () => {
  expectCleanHost();

  it("deletes all that match, leaves the others, and says what it could not delete", async () => {
    await using kata = new Kata();
    const stopped = async (id: string): Promise<void> => {
      const { path } = await kata.bundle({ args: ["true"] });
      await kata.create(id, path);
      await kata.ok(["start", id]);
      await kata.until(id, "stopped");
    };
    await stopped("job-1");
    await stopped("other");
    const running = await kata.start({ args: ["sleep", "1000"] });
    const left = await kata.run(["delete", "--regex", `^(job-.*|${running})$`]);
    expect(left).toMatchObject({ exitCode: 1 });
    expect(left.stderr).toContain(`${running} is left: `);
    expect((await kata.ok(["list", "-q"])).split("\n").sort()).toEqual([running, "other"].sort());
    await kata.ok(["delete", "--force", "--regex", "."]);
    expect(await kata.ok(["list", "-q"])).toBe("");
    expect((await kata.run(["delete", "--regex", "("])).stderr).toContain("delete --regex: ");
    expect((await kata.run(["delete", "--regex", "a", "b"])).exitCode).toBe(1);
  });
});
