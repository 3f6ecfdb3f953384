import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { growMemory } from "./grow.ts";
import { QmpClient } from "./qmp/client.ts";
import { LineReader } from "./qmp/line-reader.ts";

const SLOW = ["object-add", "device_add"];

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "grow-"));
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

/** A machine without memory modules, which takes a minute for each command that touches memory. */
function answer(socket: Socket, executed: string[]): void {
  socket.write('{"QMP":{"version":{},"capabilities":[]}}\n');
  const lines = new LineReader(65_536, (line) => {
    const { execute, id } = JSON.parse(line) as { execute: string; id: number };
    executed.push(execute);
    if (SLOW.includes(execute)) vi.advanceTimersByTime(60_000);
    socket.write(`${JSON.stringify({ return: execute === "query-memory-devices" ? [] : {}, id })}\n`);
  });
  socket.on("data", (chunk: Buffer) => {
    lines.push(chunk);
  });
}

it("memory may take minutes to come: QEMU allocates it beforehand, or pins it for a device of the host's", async () => {
  const executed: string[] = [];
  const server = createServer((socket) => {
    answer(socket, executed);
  });
  await new Promise<void>((resolve) => server.listen(join(directory, "qmp.sock"), resolve));
  try {
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    expect(await growMemory(qmp, 100)).toBe(128);
    expect(executed.slice(-2)).toEqual(SLOW);
  } finally {
    server.close();
  }
});
