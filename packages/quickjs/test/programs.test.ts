// Our programs on the engine, as far as they go without a VM. They are without what calls others' agents by gRPC.
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareScriptEngine } from "@kata-ts/guest-image";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, compileBundle, makeExecutable } from "../src/index.ts";

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

it("kata-agent loads all its code, and does nothing where only that is asked for", async () => {
  const { stdout, stderr } = await execa(engine, [agent, "--make-cache"]);
  expect([stdout, stderr]).toEqual(["", ""]);
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

describe("a program in one file with the engine", () => {
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
