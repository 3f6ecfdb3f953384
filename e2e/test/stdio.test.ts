import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPipe } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { Kata } from "../harness/kata.ts";
import { RUNTIMES } from "../harness/runtimes.ts";

/** How many processes that end at once; `pnpm test:soak` asks for more. */
const FAST_EXITS = Number(process.env.KATA_TEST_FAST_EXITS ?? 40);
const AT_ONCE = 4;

/** Sizes around every power of two up to a megabyte. */
const SIZES = Array.from({ length: 20 }, (_, power) => 2 ** (power + 1)).flatMap((size) => [size - 1, size, size + 1]);

async function inParallel<T>(items: Iterable<T>, count: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

describe.each(RUNTIMES)("standard streams under %s", (name, open) => {
  expectCleanHost();

  async function sleeper(runtime: Kata, files: Readonly<Record<string, Buffer>> = {}): Promise<string> {
    const id = runtime.id();
    const { path, rootfs } = await runtime.bundle({
      args: ["sleep", "10000"],
      edit: (spec) => {
        spec.root.readonly = false;
      },
    });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(rootfs, name), content);
    await runtime.create(id, path);
    await runtime.ok(["start", id]);
    return id;
  }

  it(`deliver all that a process wrote that ends at once, ${String(FAST_EXITS)} times`, async () => {
    await using runtime = open();
    const data = randomBytes(Math.max(...SIZES));
    const id = await sleeper(runtime, { "written-at-once": data });
    const wrong: string[] = [];
    await inParallel(Array(FAST_EXITS).keys(), AT_ONCE, async (turn) => {
      const size = SIZES[turn % SIZES.length] ?? 0;
      const [descriptor, program] =
        turn % 3 === 0
          ? [2, `head -c ${String(size)} /written-at-once >&2`]
          : [1, `head -c ${String(size)} /written-at-once`];
      const { stdoutBytes, stderrBytes, exitCode } = await runtime.run(["exec", id, "sh", "-c", `${program}; exit 9`]);
      const got = descriptor === 1 ? stdoutBytes : stderrBytes;
      if (!got.equals(data.subarray(0, size)) || exitCode !== 9) wrong.push(`${String(size)}: ${String(got.length)}`);
    });
    expect(wrong).toEqual([]);
  }, 1_200_000);

  it("carry any bytes both ways, an empty input, a closed one, and an unread one", async () => {
    await using runtime = open();
    const id = await sleeper(runtime);
    const binary = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(3_000_001)]);
    expect((await runtime.run(["exec", id, "cat"], { input: binary })).stdoutBytes.equals(binary)).toBe(true);
    expect(await runtime.run(["exec", id, "wc", "-c"], { input: "" })).toMatchObject({ stdout: "0", exitCode: 0 });
    expect(await runtime.run(["exec", id, "wc", "-c"])).toMatchObject({ stdout: "0", exitCode: 0 });
    // Ends although megabytes of its input are never read.
    expect(await runtime.run(["exec", id, "head", "-c", "5"], { input: binary })).toMatchObject({ exitCode: 0 });
    const both = await runtime.run([
      "exec",
      id,
      "sh",
      "-c",
      "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done",
    ]);
    expect(both.stdout).toBe("out 1\nout 2\nout 3\nout 4\nout 5");
    expect(both.stderr).toBe("err 1\nerr 2\nerr 3\nerr 4\nerr 5");
  });

  it("tell a writer that its reader is gone, in both directions", async () => {
    await using runtime = open();
    const id = await sleeper(runtime);
    // The host's reader leaves: the process gets SIGPIPE for what it writes after that.
    const script = `${runtime.program} --root ${runtime.root} exec ${id} yes | head -n 2; echo "\${PIPESTATUS[0]}"`;
    const piped = spawn("bash", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    piped.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    await once(piped, "close");
    expect(output).toBe("y\ny\n141\n");

    // The process closes its input: the host's writer gets EPIPE, while the process goes on.
    const running = runtime.run(["exec", id, "sh", "-c", "exec <&-; echo closed; sleep 2"], {
      input: Buffer.alloc(8 * 2 ** 20),
    });
    // runc itself gets SIGPIPE here, because it copies.
    if (name === "runc") await running;
    else expect(await running).toMatchObject({ stdout: "closed", exitCode: 0 });
  });

  it("of an exec end with it although a child in the background keeps them open", async () => {
    await using runtime = open();
    const id = await sleeper(runtime);
    const { read, write } = createPipe();
    const child = spawn(
      runtime.program,
      ["--root", runtime.root, "exec", id, "sh", "-c", "sleep 3 & echo started; exit 4"],
      {
        stdio: ["ignore", write, "ignore"],
      },
    );
    closeSync(write);
    const [status] = (await once(child, "exit")) as [number];
    expect(status).toBe(4);
    const got = Buffer.alloc(100);
    expect(got.subarray(0, readSync(read, got)).toString()).toBe("started\n");
    closeSync(read);
  });

  it("stop a process whose output is not read, and keep what it wrote", async () => {
    await using runtime = open();
    const id = await sleeper(runtime);
    const { read, write } = createPipe();
    const bytes = 32 * 2 ** 20;
    const child = spawn(
      runtime.program,
      [
        "--root",
        runtime.root,
        "exec",
        id,
        "sh",
        "-c",
        `dd if=/dev/zero bs=64k count=512 2>/dev/null; echo finished > /finished`,
      ],
      { stdio: ["ignore", write, "inherit"] },
    );
    closeSync(write);
    const exited = once(child, "exit");
    // It cannot finish: 32 MiB fit into no buffer on the way.
    await runtime.ok(["exec", id, "sleep", "1"]);
    expect((await runtime.run(["exec", id, "cat", "/finished"])).exitCode).not.toBe(0);
    expect(readFileSync(read).length).toBe(bytes);
    expect(await exited).toEqual([0, null]);
    closeSync(read);
  });

  it("of a hundred processes at once do not mix", async () => {
    await using runtime = open();
    const id = await sleeper(runtime);
    const results = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const result = await runtime.run(["exec", id, "sh", "-c", "read line; echo out $line; echo err $line >&2"], {
          input: `${String(index)}\n`,
        });
        return [result.stdout, result.stderr, result.exitCode];
      }),
    );
    expect(results).toEqual(
      Array.from({ length: 100 }, (_, index) => [`out ${String(index)}`, `err ${String(index)}`, 0]),
    );
  }, 300_000);

  it("may be files and sockets, too", async () => {
    await using runtime = open();
    const id = await sleeper(runtime);
    const directory = join(runtime.directory, "files");
    mkdirSync(directory);
    writeFileSync(join(directory, "in"), "from a file\n");
    const fds = [
      openSync(join(directory, "in"), "r"),
      openSync(join(directory, "out"), "w"),
      openSync(join(directory, "err"), "w"),
    ];
    const child = spawn(runtime.program, ["--root", runtime.root, "exec", id, "sh", "-c", "cat; echo to a file >&2"], {
      stdio: fds,
    });
    await once(child, "exit");
    for (const fd of fds) closeSync(fd);
    expect(readFileSync(join(directory, "out"), "utf8")).toBe("from a file\n");
    expect(readFileSync(join(directory, "err"), "utf8")).toBe("to a file\n");
  });
});

/** As a detached container under runc has them. In the foreground runc copies each by itself, and mixes them up. */
describe("standard streams of ours", () => {
  expectCleanHost();

  it("that are one pipe, or one file, keep the order in which a process writes to them", async () => {
    await using runtime = new Kata();
    const lines = "i=0; while [ $i -lt 300 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    const { path } = await runtime.bundle({ args: ["sh", "-c", lines] });
    const wanted = Array.from({ length: 300 }, (_, i) => `out ${String(i)}\nerr ${String(i)}\n`).join("");
    const shell = async (redirection: string, ...args: readonly string[]): Promise<string> => {
      const words = [`"$0" "$@" ${redirection}`, runtime.program, "--root", runtime.root, ...args];
      return (await runCommand("sh", ["-c", ...words])).stdoutBytes.toString();
    };
    expect(await shell("2>&1", "run", "--bundle", path, runtime.id())).toBe(wanted);
    const file = join(runtime.directory, "both");
    await shell(`>${file} 2>&1`, "run", "--bundle", path, runtime.id());
    expect(runtime.read("both")).toBe(wanted);
    const id = await runtime.start({ args: ["sleep", "1000"] });
    expect(await shell("2>&1", "exec", id, "sh", "-c", lines)).toBe(wanted);
    // Two that are two stay so.
    const apart = await runtime.run(["exec", id, "sh", "-c", "echo out; echo err >&2"]);
    expect(apart).toMatchObject({ stdout: "out", stderr: "err" });
  });
});
