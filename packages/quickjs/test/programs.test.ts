// Our programs on the engine, as far as they go without a VM. They are without what calls others' agents by gRPC.
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareScriptEngine } from "@kata-ts/guest-image";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, bundleInParts, compileBundle, makeExecutable } from "../src/index.ts";

/** On a busy machine. */
const BUILD_MS = 60_000;
const PACKAGES = join(import.meta.dirname, "..", "..");
const { program: engine } = await prepareScriptEngine({ native: join(import.meta.dirname, "..", "native") });
const directory = mkdtempSync(join(tmpdir(), "kata-js-"));
const [shim, agent] = ["kata-shim.kjs", "kata-agent.kjs"].map((name) => join(directory, name)) as [string, string];

beforeAll(async () => {
  await build("shim/src/bin.ts", shim);
  await build("agent/src/main.ts", agent);
}, BUILD_MS);

async function build(file: string, program: string): Promise<void> {
  await bundle([join(PACKAGES, file)], `${program}.js`, { leftOut: ["node:http2"] });
  await compileBundle(engine, `${program}.js`, program);
}

afterAll(() => {
  rmSync(directory, { recursive: true });
});

it("kata-agent says its version, and does nothing where only that is asked for", async () => {
  const { stdout, stderr } = await execa(engine, [agent, "--version"]);
  expect([stdout, stderr]).toEqual([expect.stringMatching(/^kata-agent version \d/), ""]);
});

it("a bundle gives the same bytecode wherever it lies", async () => {
  const [here, there] = ["here", "there"].map((name) => join(directory, name)) as [string, string];
  for (const place of [here, there]) {
    mkdirSync(place);
    writeFileSync(join(place, "program.js"), "export const f = (a) => { throw new Error(a); };\n");
    await compileBundle(engine, join(place, "program.js"), join(place, "program.kjs"));
  }
  expect(readFileSync(join(here, "program.kjs"))).toEqual(readFileSync(join(there, "program.kjs")));
});

it("kata-shim says its version", async () => {
  const { stdout } = await execa(engine, [shim, "--version"]);
  expect(stdout).toMatch(/^kata-shim version \d/);
});

it("kata-shim refuses an option that it does not know", async () => {
  const { exitCode, stderr } = await execa(engine, [shim, "--nonsense"], { reject: false });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("--nonsense")]);
});

it("kata-shim ends when the runtime goes away before it has named a process", async () => {
  const ended = await execa(engine, [shim, "-container", "c", "-control-fd", "0"], { reject: false, input: "" });
  expect(ended.exitCode).toBe(1);
});

it("kata-shim asks the agent at the address that the runtime names, with the process's token", async () => {
  const path = join(directory, "agent.sock");
  const server = createServer((socket) => connections.push(socket)).listen(path);
  const connections: Socket[] = [];
  await once(server, "listening");
  const connected = once(server, "connection");
  const running = execa(engine, [shim, "-container", "c", "-control-fd", "3"], {
    reject: false,
    stdio: ["ignore", "ignore", "pipe", ["pipe", "overlapped"] as never],
  });
  (running.stdio[3] as unknown as Socket).write(`unix://${path} ${"ab".repeat(16)}\n`);
  await connected;
  const [asked] = (await once(connections[0] ?? server, "data")) as [Buffer];
  expect(asked.includes(Buffer.from("ab".repeat(16), "hex"))).toBe(true);
  connections[0]?.destroy();
  server.close();
  expect((await running).exitCode).toBe(1);
});

describe("a program in one file with the engine", { timeout: BUILD_MS }, () => {
  const path = join(directory, "one-file");

  it("is started by its path, by a link to it, or by a name of the caller's, and all arguments are its own", async () => {
    await makeProgram(
      `import { readFileSync } from "node:fs";
       const cmdline = readFileSync("/proc/self/cmdline", "latin1").split("\\0").slice(0, -1);
       console.log(JSON.stringify({ argv: process.argv, argv0: process.argv0, execPath: process.execPath, cmdline }));`,
    );
    const link = join(directory, "link");
    symlinkSync(path, link);
    const given = ["--compile", "-x", "--", "", "a b"];
    for (const [started, name] of [
      [path, path],
      [link, link],
      [path, "another"],
    ] as const) {
      const { stdout } = await execa(started, given, { argv0: name });
      const found: unknown = JSON.parse(stdout);
      expect(found).toEqual({ argv: [path, path, ...given], argv0: name, execPath: path, cmdline: [name, ...given] });
    }
  });

  it("exits with its own status", async () => {
    await makeProgram("process.exitCode = 7;");
    expect((await execa(path, { reject: false })).exitCode).toBe(7);
  });

  it("may open as many files as its hard limit allows, as on Node, and knows what its caller might", async () => {
    await makeProgram(
      `import { readFileSync } from "node:fs";
       console.log(/^Max open files +(\\d+) +(\\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")).slice(1), process.softOpenFiles);`,
    );
    const { stdout } = await execa("prlimit", ["--nofile=100:200", path]);
    expect(stdout).toBe("[ '200', '200' ] 100");
  });

  it("writes into nothing else where its caller has closed a standard stream, as on Node", async () => {
    await makeProgram(
      `import { openSync, writeFileSync } from "node:fs";
       const [first, second] = [0, 1].map((index) => openSync(process.argv[2] + index, "w"));
       console.log("words");
       console.error("words");
       writeFileSync(first, JSON.stringify([first, second].every((fd) => fd > 2)));`,
    );
    const file = join(directory, "opened-");
    for (const closed of ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"]) {
      await execa("sh", ["-c", `exec "$@" ${closed}`, "sh", path, file]);
      expect([0, 1].map((index) => readFileSync(`${file}${String(index)}`, "utf8"))).toEqual(["true", ""]);
    }
  });

  it("learns what becomes of its children also where its caller ignores SIGCHLD", async () => {
    await makeProgram(
      `import { spawn, spawnSync } from "node:child_process";
       const call = ["sh", ["-c", "exit 7"]];
       const { status } = spawnSync(...call);
       spawn(...call).on("exit", (code) => console.log(status, code));`,
    );
    const ignoring =
      "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])";
    const { stdout } = await execa("python3", ["-c", ignoring, path]);
    expect(stdout).toBe("7 7");
  });

  it.each([
    ["an error", `setTimeout(() => { throw new Error("lost"); }, 1);`, /^Uncaught Error: lost\n {4}at /],
    ["a rejection", `setTimeout(async () => { throw new Error("lost"); }, 1);`, /^Uncaught Error: lost\n {4}at /],
    [
      "an endless recursion",
      `const f = (n) => f(n) + 1; setTimeout(f, 1);`,
      /^Uncaught InternalError: stack overflow\n/,
    ],
    [
      "want of memory",
      `const all = []; setTimeout(() => { for (;;) all.push({ text: "x".repeat(99) + all.length }); }, 1);`,
      /out of memory$/m,
    ],
    [
      "want of memory for bytes",
      `const all = []; setTimeout(() => { for (;;) all.push(Buffer.alloc(1e6)); }, 1);`,
      /out of memory$/m,
    ],
  ])("ends, with words and a status of its own, for %s that it does not catch", async (_what, text, words) => {
    await makeProgram(`setInterval(() => undefined, 1000); ${text}`);
    const { exitCode, stderr } = await execa("prlimit", [`--as=${String(2 ** 28)}`, path], { reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(words);
  });

  it.each([
    ["uncaughtException", "setTimeout(fail, 1);"],
    ["unhandledRejection", "setTimeout(async () => { fail(); }, 1);"],
  ])("hears of what ends it before it ends: %s", async (origin, text) => {
    await makeProgram(
      `process.on("uncaughtExceptionMonitor", (error, origin) => console.log(error.message, origin));
       const fail = () => { throw new Error("lost"); };
       ${text}`,
    );
    const { exitCode, stdout } = await execa(path, { reject: false });
    expect([exitCode, stdout]).toEqual([1, `lost ${origin}`]);
  });

  it("is refused where its bytecode is another engine's", async () => {
    await makeProgram("console.log('ran');", (bytecode) => {
      bytecode.write("0", bytecode.indexOf("\n") - 1);
    });
    const { exitCode, stdout, stderr } = await execa(path, { reject: false });
    expect([exitCode, stdout, stderr]).toEqual([
      1,
      "",
      `kata-js: ${path}: no program of this build; make it anew with --compile`,
    ]);
  });

  it("is none where the size at its end is more than there is: the engine asks for a program", async () => {
    await makeProgram("console.log('ran');");
    const file = readFileSync(path);
    file.writeBigUInt64LE(2n ** 64n - 1n, file.length - 24);
    writeFileSync(path, file);
    const { exitCode, stderr } = await execa(path, { reject: false });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("usage: kata-js")]);
  });

  async function makeProgram(text: string, change?: (bytecode: Buffer) => void): Promise<void> {
    const [source, bytecode] = [join(directory, "source.js"), join(directory, "source.kjs")];
    writeFileSync(source, text);
    await bundle([source], `${bytecode}.js`);
    await compileBundle(engine, `${bytecode}.js`, bytecode);
    if (change !== undefined) {
      const compiled = readFileSync(bytecode);
      change(compiled);
      writeFileSync(bytecode, compiled);
    }
    await makeExecutable(engine, bytecode, path);
  }
});

describe("a program of several modules", () => {
  const path = join(directory, "several");

  const SHARED = `export const bytes = Buffer.from(globalThis.first);`;
  const PART = `import { bytes } from "./shared.js";
    console.log("the part is here");
    export const said = () => String(bytes);`;
  const MAIN = `import { bytes } from "./shared.js";
    console.log(bytes.length, import.meta.dirname);
    const { said } = process.argv[2] === "part" ? await import("./part.js") : { said: () => "no part" };
    console.log(said());`;

  it("loads those that are imported later once they are, and evaluates what comes first in front of all others", async () => {
    await makeParts();
    const [without, withPart] = [await execa(path), await execa(path, ["part"])];
    expect(without.stdout).toBe(`5 ${directory}\nno part`);
    expect(withPart.stdout).toBe(`5 ${directory}\nthe part is here\nfirst`);
  });

  it("says which module it does not have", async () => {
    await makeParts((modules) => modules.filter((module) => !module.includes("/part-")));
    const { exitCode, stderr } = await execa(path, ["part"], { reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ReferenceError: part-\w+\.js is not in the program/);
  });

  it("is refused where it is cut off", async () => {
    await makeParts();
    const bytecode = readFileSync(`${path}.kjs`);
    const mark = bytecode.indexOf("\n") + 1;
    for (const length of [mark, mark + 7, mark + 100]) {
      writeFileSync(`${path}.kjs`, bytecode.subarray(0, length));
      const { exitCode, stderr } = await execa(engine, [`${path}.kjs`], { reject: false });
      expect([exitCode, stderr]).toEqual([1, `kata-js: ${path}.kjs: the program is cut off`]);
    }
  });

  it("gives the same bytes each time", async () => {
    await makeParts();
    const first = readFileSync(path);
    await makeParts();
    expect(readFileSync(path).equals(first)).toBe(true);
  });

  async function makeParts(choose: (modules: readonly string[]) => readonly string[] = (all) => all): Promise<void> {
    const work = join(directory, "sources");
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work);
    const sources = { first: `globalThis.first = "first";`, shared: SHARED, part: PART, main: MAIN };
    for (const [name, text] of Object.entries(sources)) writeFileSync(join(work, `${name}.js`), text);
    const { modules } = await bundleInParts([join(work, "first.js"), join(work, "main.js")], join(work, "modules"));
    await compileBundle(engine, choose(modules), `${path}.kjs`);
    await makeExecutable(engine, `${path}.kjs`, path);
  }
});
