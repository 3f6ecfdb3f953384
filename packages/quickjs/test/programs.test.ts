// Our programs on the engine, as far as they go without a VM. They are without what calls others' agents by gRPC.
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareScriptEngine } from "@kata-ts/guest-image";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle, compileBundle } from "../src/index.ts";

const PACKAGES = join(import.meta.dirname, "..", "..");
const { program: engine } = await prepareScriptEngine({ native: join(import.meta.dirname, "..", "native") });
const directory = mkdtempSync(join(tmpdir(), "kata-js-"));
const [shim, agent] = ["kata-shim.kjs", "kata-agent.kjs"].map((name) => join(directory, name)) as [string, string];

beforeAll(async () => {
  await build("shim/src/bin.ts", shim);
  await build("agent/src/main.ts", agent);
});

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
