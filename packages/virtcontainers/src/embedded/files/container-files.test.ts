import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentRpcError, katats, RpcStatus } from "@kata-ts/agent-protocol";
import { PREFACE_BYTES, serveProcessStream } from "@kata-ts/agent-protocol/process-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ContainerFiles } from "./container-files.ts";
import type { FilesAccess } from "./file-calls.ts";

const TOKEN = Buffer.alloc(16, 7);
const ENTRY = { type: "file", size: 1, mode: 0o644, uid: 0, gid: 0, mtimeMs: 1 };
const NOTHING = Buffer.alloc(0);

/** What a guest, which may be hostile, does with an operation. */
interface Guest {
  readonly result?: string;
  readonly output?: readonly string[];
  readonly reports?: string;
  readonly status?: number;
}

describe("files, as a guest answers", () => {
  let directory = "";
  let server: Server;
  let guest: Guest;
  let asked: unknown[];
  let received: Buffer[];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "kata-container-files-"));
    asked = [];
    received = [];
    server = createServer((connection) => {
      connection.on("error", () => undefined);
      void (async () => {
        while (connection.readableLength < PREFACE_BYTES) await once(connection, "readable");
        connection.read(PREFACE_BYTES);
        await serveProcessStream(connection, processOf(guest));
      })();
    });
    await once(server.listen(join(directory, "agent.sock")), "listening");
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  function processOf({ output = [], reports = "", status = 0 }: Guest): Parameters<typeof serveProcessStream>[1] {
    const left = { 1: output.map((text) => Buffer.from(text)), 2: reports === "" ? [] : [Buffer.from(reports)] };
    const nothing = (): void => undefined;
    const ended = Promise.withResolvers<number>();
    if (output.length > 0 || reports !== "" || status !== 0) ended.resolve(status);
    return {
      read: async (descriptor, limit) => {
        if (left[descriptor].length === 0) await ended.promise;
        const piece = left[descriptor].shift();
        if (piece !== undefined && piece.length > limit) left[descriptor].unshift(piece.subarray(limit));
        return piece?.subarray(0, limit);
      },
      write: async (pieces) => {
        received.push(...pieces);
        return true;
      },
      closeInput: () => {
        ended.resolve(status);
      },
      ...{
        closeOutput: nothing,
        signal: nothing,
        killSession: nothing,
        resize: nothing,
        hangUp: nothing,
        forget: nothing,
      },
      exited: ended.promise,
    };
  }

  function files(answer: Guest): ContainerFiles {
    guest = answer;
    const { result } = answer;
    const operateOnFiles: FilesAccess["agent"]["operateOnFiles"] = async ({ operation }) => {
      asked.push(JSON.parse(Buffer.from(operation ?? NOTHING).toString()));
      const bytes = Buffer.from(result ?? "");
      return new katats.v1.FileReply({ result: bytes, token: result === undefined ? TOKEN : NOTHING });
    };
    const agentUrl = `unix://${join(directory, "agent.sock")}`;
    return new ContainerFiles({ id: "web", agent: { operateOnFiles }, agentUrl, during: (work) => work() });
  }

  it("are read, written, listed and copied, with progress", async () => {
    expect(await files({ output: ["one ", "two"] }).readText("/a", { offset: 3 })).toBe("one two");
    await files({}).write("/a", ["x", Buffer.from("y")] as never, { mode: 0o600 });
    expect(Buffer.concat(received).toString()).toBe("xy");
    expect(await files({ output: [`${JSON.stringify({ name: "a\nb", type: "file" })}\n`] }).list("/")).toEqual([
      { name: "a\nb", type: "file" },
    ]);
    const detailed = { name: "a", ...ENTRY, size: 2 ** 63, mtimeMs: -1000 };
    expect(await files({ output: [`${JSON.stringify(detailed)}\n`] }).list("/b", { details: true })).toEqual([
      detailed,
    ]);
    expect(await files({ result: JSON.stringify({ value: ENTRY }) }).stat("/a")).toEqual(ENTRY);
    const seen: object[] = [];
    const tar = files({ output: ["12345"], reports: '{"entries":7}\n{"warning":"a\\u001b[31m"}\n' });
    const warnings: string[] = [];
    const out = tar.copyOut("/a", { onProgress: (each) => seen.push(each), onWarning: (each) => warnings.push(each) });
    expect(Buffer.concat((await out.toArray()) as Buffer[]).toString()).toBe("12345");
    expect(seen).toContainEqual({ bytes: 5, entries: expect.any(Number) as number });
    expect(warnings).toEqual([expect.not.stringContaining("\u001b") as string]);
    expect(asked).toMatchObject([
      { name: "read", path: "/a", offset: 3, length: 16 * 2 ** 20 + 1 },
      { name: "write", path: "/a", append: false, exclusive: false, mode: 0o600 },
      { name: "list", path: "/", maxEntries: 100_000 },
      { name: "list", path: "/b", maxEntries: 100_000, details: true },
      { name: "stat", path: "/a", follow: true },
      { name: "pack", path: "/a", follow: false },
    ]);
  });

  it("fail with the kernel's reason, of which nothing steers a terminal", async () => {
    const failure = { errno: "ENOENT", message: `"/a": \u001b]0;evil${"x".repeat(1000)}` };
    const expected = {
      code: "KATA_FILE",
      errno: "ENOENT",
      path: "/a",
      message: expect.not.stringContaining("\u001b") as string,
    };
    await expect(files({ result: JSON.stringify({ failure }) }).stat("/a")).rejects.toMatchObject(expected);
    const reports = `${JSON.stringify({ failure })}\n`;
    await expect(files({ reports, status: 1 }).read("/a")).rejects.toMatchObject(expected);
    await expect(files({ reports, status: 1 }).copyOut("/a").toArray()).rejects.toMatchObject(expected);
    await expect(files({ reports, status: 1 }).write("/a", Buffer.alloc(3_000_000))).rejects.toMatchObject(expected);
    expect(await files({ result: JSON.stringify({ failure }) }).exists("/a")).toBe(false);
    const other = { errno: "EVIL\n", message: "" };
    await expect(files({ result: JSON.stringify({ failure: other }) }).stat("/a")).rejects.toMatchObject({ errno: "" });
  });

  it.each<[string, Guest, (all: ContainerFiles) => Promise<unknown>, object]>([
    ["a result that is no JSON", { result: "{" }, (all) => all.stat("/a"), { code: "KATA_AGENT" }],
    ["a result of another form", { result: '{"value":[]}' }, (all) => all.stat("/a"), { code: "KATA_AGENT" }],
    ["no result", { result: "{}" }, (all) => all.mkdir("/a"), { code: "KATA_AGENT" }],
    [
      "a type that is none",
      { result: JSON.stringify({ value: { ...ENTRY, type: "door" } }) },
      (all) => all.stat("/a"),
      { code: "KATA_AGENT", message: expect.stringContaining("is not one of") as string },
    ],
    [
      "more bytes than it was asked for",
      { output: ["x".repeat(2000)] },
      (all) => all.read("/a", { maxBytes: 1000 }),
      { code: "KATA_FILE", errno: "EFBIG" },
    ],
    [
      "more entries than it was asked for",
      { output: [`${JSON.stringify({ name: "a", ...ENTRY })}\n`.repeat(3)] },
      (all) => all.list("/", { maxEntries: 2 }),
      { errno: "EFBIG" },
    ],
    [
      "an entry without details",
      { output: ['{"name":"a","type":"file"}\n'] },
      (all) => all.list("/", { details: true }),
      { code: "KATA_AGENT" },
    ],
    ...(
      [
        ["size", "1e999"],
        ["size", "0.5"],
        ["mtimeMs", "-1e999"],
      ] as const
    ).map(([name, number]): [string, Guest, (all: ContainerFiles) => Promise<unknown>, object] => [
      `a number that no file has, ${name} ${number}`,
      { result: JSON.stringify({ value: { ...ENTRY, [name]: "?" } }).replace('"?"', number) },
      (all) => all.stat("/a"),
      { code: "KATA_AGENT" },
    ]),
    ...["", ".", "..", "../a", "a/b", "/etc/passwd", "a\0", "x".repeat(256)].map(
      (name): [string, Guest, (all: ContainerFiles) => Promise<unknown>, object] => [
        `a name that no entry has, ${JSON.stringify(name.slice(0, 12))}`,
        { output: [`${JSON.stringify({ name, type: "file" })}\n`] },
        (all) => all.list("/"),
        { code: "KATA_AGENT", message: expect.stringContaining("the name of an entry") as string },
      ],
    ),
    [
      "more than all names and details of so many entries can be",
      {
        output: Array.from(
          { length: 20 },
          () => `${JSON.stringify({ name: "a", type: "file", more: "x".repeat(60_000) })}\n`,
        ),
      },
      (all) => all.list("/", { maxEntries: 100 }),
      { errno: "EFBIG" },
    ],
    [
      "a line without end",
      { output: ["x".repeat(70_000)] },
      (all) => all.list("/"),
      { message: expect.stringContaining("65536") as string },
    ],
    ["a report that is no JSON", { output: ["x"], reports: "evil\n" }, (all) => all.read("/a"), { code: "KATA_AGENT" }],
    ["a failure without a reason", { output: ["x"], status: 1 }, (all) => all.read("/a"), { code: "KATA_AGENT" }],
  ])("refuse %s", async (_, answer, call, error) => {
    await expect(call(files(answer))).rejects.toMatchObject(error);
  });

  it("end with their limits, and never begin where the caller has given up", async () => {
    const endless = files({});
    await expect(endless.read("/a", { timeoutMs: 20 })).rejects.toMatchObject({ code: "KATA_TIMEOUT" });
    await expect(endless.readStream("/a", { timeoutMs: 20 }).toArray()).rejects.toMatchObject({ code: "KATA_TIMEOUT" });
    const over = new AbortController();
    const waiting = endless.watch("/a", { signal: over.signal }).next();
    over.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    const before = asked.length;
    const signal = AbortSignal.abort("no");
    await expect(endless.stat("/a", { signal })).rejects.toBe("no");
    await expect(endless.readStream("/a", { signal }).toArray()).rejects.toBe("no");
    expect(asked).toHaveLength(before);
  });

  it.each<[string, (all: ContainerFiles) => unknown]>([
    ["a relative path", (all) => all.read("etc")],
    ["a path with NUL", (all) => all.stat("/a\0b")],
    ["a path that is too long", (all) => all.stat(`/${"x".repeat(4096)}`)],
    ["a mode that is none", (all) => all.write("/a", "", { mode: 0o10000 })],
    ["an option that is misspelt", (all) => all.remove("/a", { recurse: true } as never)],
    ["a new name that is relative", (all) => all.rename("/a", "b")],
    ["a stream's path", (all) => (async () => all.copyOut("a"))()],
  ])("refuse %s before the guest is asked", async (_, call) => {
    await expect(Promise.resolve(call(files({ result: "{}" })))).rejects.toMatchObject({ code: "KATA_CONFIG" });
    expect(asked).toEqual([]);
  });

  it("are nothing that an agent of the 1.x contract has", async () => {
    const operateOnFiles = (): Promise<never> => Promise.reject(new AgentRpcError(RpcStatus.Unimplemented, "no"));
    const old = new ContainerFiles({
      id: "web",
      agent: { operateOnFiles },
      agentUrl: "unix:///nowhere",
      during: (work) => work(),
    });
    await expect(old.read("/a")).rejects.toMatchObject({ code: "KATA_UNSUPPORTED" });
    await expect(old.copyOut("/a").toArray()).rejects.toMatchObject({ code: "KATA_UNSUPPORTED" });
  });
});
