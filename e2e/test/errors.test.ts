import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";

interface Case {
  readonly what: string;
  /** In a bundle that would work. */
  readonly spoil: (bundle: string) => void;
  readonly message: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: "no config.json",
    spoil: (b) => {
      writeFileSync(join(b, "config.json"), "");
    },
    message: /config\.json: /,
  },
  {
    what: "config.json that is not JSON",
    spoil: (b) => {
      writeFileSync(join(b, "config.json"), "{");
    },
    message: /config\.json: /,
  },
  {
    what: "a field of the wrong type",
    spoil: edit((s) => {
      s.process = { args: "sh", cwd: "/" };
    }),
    message: /process\.args/,
  },
  {
    what: "no process",
    spoil: edit((s) => {
      delete s.process;
    }),
    message: /process must be set/,
  },
  {
    what: "no arguments",
    spoil: edit((s) => {
      s.process = { args: [], cwd: "/" };
    }),
    message: /args must not be empty/,
  },
  {
    what: "a relative cwd",
    spoil: edit((s) => {
      s.process = { args: ["sh"], cwd: "tmp" };
    }),
    message: /cwd .* must be an absolute path/,
  },
  {
    what: "a root file system that is not there",
    spoil: edit((s) => {
      s.root = { path: "nowhere" };
    }),
    message: /rootfs .* does not exist/,
  },
  {
    what: "an unknown version of the specification",
    spoil: edit((s) => {
      s.ociVersion = "7.0.0";
    }),
    message: /ociVersion/,
  },
  {
    what: "a terminal without a receiver",
    spoil: edit((s) => {
      s.process = { args: ["sh"], cwd: "/", terminal: true };
    }),
    message: /cannot allocate tty if the runtime will detach without setting console socket/,
  },
];

function edit(change: (spec: Record<string, unknown>) => void): (bundle: string) => void {
  return (bundle) => {
    const file = join(bundle, "config.json");
    const spec = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    change(spec);
    writeFileSync(file, JSON.stringify(spec));
  };
}

describe("errors", () => {
  expectCleanHost();

  it.each(CASES)("$what: a clear message, status 1, nothing left", async ({ spoil, message }) => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["true"] });
    spoil(path);
    const result = await kata.run(["create", "--bundle", path, "spoiled"]);
    expect(result).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringMatching(message) as string });
    expect(result.stderr.split("\n")).toHaveLength(1);
    expect(existsSync(join(kata.root, "spoiled"))).toBe(false);
  });

  it("names what is missing, with runc's exit status, for ids and bundles that are not there", async () => {
    await using kata = new Kata();
    await using runc = new Kata([], "/usr/sbin/runc");
    const calls = [
      ["state", "none"],
      ["start", "none"],
      ["kill", "none"],
      ["delete", "none"],
      ["exec", "none", "true"],
      ["pause", "none"],
      ["ps", "none"],
      ["create", "--bundle", "/nonexistent", "none"],
      ["create", "--bundle", "/nonexistent", "in/valid"],
      ["state"],
      ["nosuchverb"],
    ];
    for (const args of calls) {
      const [ours, theirs] = [await kata.run(args), await runc.run(args)];
      expect(ours.stderr, args.join(" ")).toMatch(/level=error msg=".+"/);
      if (args[0] !== "nosuchverb") expect(ours.exitCode, args.join(" ")).toBe(theirs.exitCode);
      expect(ours.exitCode).not.toBe(0);
    }
    expect((await kata.run(["delete", "--force", "none"])).exitCode).toBe(
      (await runc.run(["delete", "--force", "none"])).exitCode,
    );
  });

  it("refuses a second container of the same id, and keeps the first", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const { path } = await kata.bundle({ args: ["true"] });
    const second = await kata.run(["create", "--bundle", path, id]);
    expect(second).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`container with id exists: ${id}`) as string,
    });
    expect((await kata.state(id)).status).toBe("running");
  });

  it("of a configuration that has become wrong do not block calls about what runs already", async () => {
    await using kata = Kata.configured("[runtime]\nboot_timeout = 60\n");
    const id = await kata.start({ args: ["sleep", "1000"] });
    expect(readdirSync(join(kata.root, id))).toContain("kata.options.json"); // What was right then is not read again.
    kata.file("configuration.toml", "[runtime]\nboot_timeout = 'long'\n");
    const warned = expect.stringMatching(/^[^\n]* level=warning msg="[^\n]*boot_timeout[^\n]*defaults hold/) as string;
    const run = (...args: readonly string[]) => kata.run(args);
    expect(await run("exec", id, "echo", "lives")).toMatchObject({ exitCode: 0, stdout: "lives", stderr: warned });
    const { path } = await kata.bundle({ args: ["true"] });
    expect(await run("create", "--bundle", path, "later")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/level=error msg="[^\n]*boot_timeout/) as string,
    });
    expect(await run("kill", id, "KILL")).toMatchObject({ exitCode: 0, stderr: warned });
    await kata.until(id, "stopped");
    expect(await run("delete", id)).toMatchObject({ exitCode: 0, stderr: warned });
    expect(readdirSync(kata.root)).toEqual([]);
  });

  it("rolls back when the guest refuses the container", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["/no/such/program"] });
    const result = await kata.run(["run", "--bundle", path, "refused"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/no such file/i);
    expect(readdirSync(kata.root)).toEqual([]);
  });

  it("rolls back when a mount's source is missing", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({
      args: ["true"],
      edit: (spec) =>
        spec.mounts.push({ destination: "/x", type: "bind", source: "/no/such/source", options: ["bind"] }),
    });
    const result = await kata.run(["run", "--bundle", path, "mountless"]);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("/no/such/source") as string });
    expect(readdirSync(kata.root)).toEqual([]);
  });

  it("appends its errors to --log, in the format asked for, and leaves other runtimes' directories alone", async () => {
    await using kata = new Kata();
    const log = kata.file("log.json", '{"level":"info","msg":"the engine was here"}\n');
    mkdirSync(join(kata.root, "of-runc"), { recursive: true });
    writeFileSync(join(kata.root, "of-runc", "state.json"), "{}");
    await kata.run(["--log", log, "--log-format=json", "state", "of-runc"]);
    const [first, second] = kata
      .read("log.json")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(first?.msg).toBe("the engine was here");
    expect(second).toMatchObject({
      level: "error",
      msg: expect.stringContaining("does not exist") as string,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
    });
    expect(await kata.ok(["list", "-q"])).toBe("");
    await kata.ok(["delete", "--force", "of-runc"]);
    expect(existsSync(join(kata.root, "of-runc", "state.json"))).toBe(true);
  });
});
