import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { QmpClient } from "./client.ts";
import { LineReader } from "./line-reader.ts";

const GREETING = '{"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": []}}\n';

type Reply = (socket: Socket, message: { execute: string; id: number }) => void;

describe("QmpClient", () => {
  let directory = "";
  let server: Server | undefined;

  async function listen(reply: Reply, greeting = GREETING): Promise<string> {
    const path = join(directory, "qmp.sock");
    server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write(greeting);
      const lines = new LineReader(1_000_000, (line) => {
        const message = JSON.parse(line) as { execute: string; id: number };
        if (message.execute === "qmp_capabilities") socket.write(`{"return": {}, "id": ${String(message.id)}}\n`);
        else reply(socket, message);
      });
      socket.on("data", (chunk: Buffer) => {
        lines.push(chunk);
      });
    });
    await new Promise<void>((resolve) => server?.listen(path, resolve));
    return path;
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "qmp-"));
  });

  afterEach(() => {
    server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("matches replies by id, with events between and in any order", async () => {
    const held: number[] = [];
    const path = await listen((socket, { execute, id }) => {
      socket.write(`{"event": "SEEN", "data": {"command": "${execute}"}}\n`);
      held.push(id);
      if (held.length === 2)
        for (const each of held.toReversed()) socket.write(`{"return": ${String(each)}, "id": ${String(each)}}\n`);
    });
    await using qmp = await QmpClient.connect(path);
    const events: unknown[] = [];
    qmp.onEvent((event) => events.push(event.data.command));
    const [first, second] = await Promise.all([qmp.execute("one"), qmp.execute("two")]);
    expect([first, second]).toEqual([...held]);
    expect(events).toEqual(["one", "two"]);
  });

  it("rejects with QEMU's own words", async () => {
    const path = await listen((socket, { id }) =>
      socket.write(`{"error": {"class": "GenericError", "desc": "no such device"}, "id": ${String(id)}}\n`),
    );
    await using qmp = await QmpClient.connect(path);
    await expect(qmp.execute("device_del")).rejects.toMatchObject({
      code: "KATA_QMP_COMMAND",
      message: "QMP device_del: GenericError: no such device",
    });
  });

  it("ends a wait at its deadline, and goes on after it", async () => {
    const path = await listen(
      (socket, { execute, id }) => execute === "slow" || socket.write(`{"return": 1, "id": ${String(id)}}\n`),
    );
    await using qmp = await QmpClient.connect(path);
    await expect(qmp.execute("slow", {}, { deadlineMs: 30 })).rejects.toMatchObject({ code: "KATA_QMP_TIMEOUT" });
    expect(await qmp.execute("quick")).toBe(1);
  });

  it("ends every wait when QEMU goes away", async () => {
    const path = await listen((socket) => socket.destroy());
    await using qmp = await QmpClient.connect(path);
    const event = qmp.waitForEvent(() => true);
    event.catch(() => undefined);
    await expect(qmp.execute("quit")).rejects.toMatchObject({ code: "KATA_QMP_CLOSED" });
    await expect(event).rejects.toMatchObject({ code: "KATA_QMP_CLOSED" });
    await expect(qmp.execute("more")).rejects.toMatchObject({ code: "KATA_QMP_CLOSED" });
  });

  it.each([
    ["what is not JSON", "hello\n"],
    ["a line without an end", "x".repeat(2 * 1024 * 1024)],
  ])("refuses %s", async (_what, greeting) => {
    const path = await listen(() => undefined, greeting);
    await expect(QmpClient.connect(path)).rejects.toMatchObject({ code: "KATA_QMP_PROTOCOL" });
  });

  it("says when there is no listener", async () => {
    await expect(QmpClient.connect(join(directory, "no-listener.sock"))).rejects.toMatchObject({
      code: "KATA_QMP_CLOSED",
    });
  });
});

describe("LineReader", () => {
  it("takes a long line byte by byte in proportion to its length", () => {
    const length = 512 * 1024;
    const seen: number[] = [];
    const reader = new LineReader(length, (line) => seen.push(line.length));
    // Copying what is held for each byte would take half a minute.
    for (let n = 0; n < length; n++) reader.push(Buffer.of(0x78));
    reader.push(Buffer.of(0x0a));
    expect(seen).toEqual([length]);
  });

  it("refuses a line above the limit, whole or in parts", () => {
    const line = Buffer.from(`${"x".repeat(11)}\n`);
    for (const size of [1, 5, line.length]) {
      const reader = new LineReader(10, () => undefined);
      const pieces = Array.from({ length: Math.ceil(line.length / size) }, (_, n) =>
        line.subarray(n * size, (n + 1) * size),
      );
      expect(() => {
        for (const piece of pieces) reader.push(piece);
      }, String(size)).toThrow(expect.objectContaining({ code: "KATA_QMP_PROTOCOL" }));
    }
  });

  it("sees the same lines however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: "grapheme", minLength: 1 }).filter((line) => line.trim() === line && !/[\n\r]/.test(line)),
        ),
        fc.integer({ min: 1, max: 7 }),
        (lines, size) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
          const seen: string[] = [];
          const reader = new LineReader(10_000, (line) => seen.push(line));
          for (let offset = 0; offset < bytes.length; offset += size)
            reader.push(bytes.subarray(offset, offset + size));
          expect(seen).toEqual(lines);
        },
      ),
    );
  });
});
