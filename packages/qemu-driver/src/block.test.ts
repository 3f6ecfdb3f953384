import { constants, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { plugDisk, unplugDisk } from "./block.ts";
import { QmpClient } from "./qmp/client.ts";
import { LineReader } from "./qmp/line-reader.ts";

interface Command {
  readonly execute: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly id: number;
}

describe("a disk that is taken out", () => {
  let directory: string;
  let server: Server;
  let executed: string[];
  /** What the machine has: devices, and what is open for them. */
  let devices: Set<string>;
  let nodes: Set<string>;
  /** Whether its guest lets go when it is asked to. */
  let isPrompt: boolean;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "kata-block-"));
    executed = [];
    devices = new Set(["disk-a"]);
    nodes = new Set(["disk-a-node"]);
    isPrompt = true;
    server = createServer((socket) => {
      socket.write('{"QMP":{"version":{},"capabilities":[]}}\n');
      const lines = new LineReader(65_536, (line) => {
        const command = JSON.parse(line) as Command;
        const refusal = answer(command);
        const said = refusal === undefined ? { return: {} } : { error: refusal };
        socket.write(`${JSON.stringify({ ...said, id: command.id })}\n`);
        if (command.execute !== "device_del" || refusal !== undefined || !isPrompt) return;
        devices.delete(command.arguments.id ?? "");
        socket.write(`${JSON.stringify({ event: "DEVICE_DELETED", data: { device: command.arguments.id } })}\n`);
      });
      socket.on("data", (chunk: Buffer) => {
        lines.push(chunk);
      });
    });
    await new Promise<void>((resolve) => server.listen(join(directory, "qmp.sock"), resolve));
  });

  afterEach(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  /** In the words of QEMU. */
  function answer({ execute, arguments: given }: Command): { class: string; desc: string } | undefined {
    if (execute === "qmp_capabilities") return undefined;
    executed.push(execute);
    const { id = "", "node-name": node = "" } = given;
    if (execute === "device_del" && !devices.has(id))
      return { class: "DeviceNotFound", desc: `Device '${id}' not found` };
    if (execute === "blockdev-del" && !nodes.delete(node))
      return { class: "GenericError", desc: `Failed to find node with node-name='${node}'` };
    return undefined;
  }

  it("leaves nothing open", async () => {
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    expect(await unplugDisk(qmp, { id: "disk-a" })).toBe(true);
    expect([...devices, ...nodes]).toEqual([]);
    expect(await unplugDisk(qmp, { id: "disk-a" })).toBe(false);
  });

  it("leaves nothing open, either, where the guest has let go of it after an earlier call had given up", async () => {
    isPrompt = false;
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    await expect(unplugDisk(qmp, { id: "disk-a" }, { deadlineMs: 0 })).rejects.toMatchObject({
      code: "KATA_QMP_TIMEOUT",
    });
    expect([...nodes]).toEqual(["disk-a-node"]);
    devices.clear();
    expect(await unplugDisk(qmp, { id: "disk-a" }, { deadlineMs: 0 })).toBe(true);
    expect([...nodes]).toEqual([]);
    expect(executed).toEqual(["device_del", "device_del", "blockdev-del"]);
  });
});

describe("a disk that is plugged in", () => {
  /** The flags of this process's descriptors of a file. */
  function openFlags(path: string): number[] {
    return readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        if (readlinkSync(`/proc/self/fd/${fd}`) !== path) return [];
        return [
          Number.parseInt(/^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1] ?? "", 8),
        ];
      } catch {
        return []; // The one by which the directory was read.
      }
    });
  }

  it.each([
    { direct: true, readonly: false },
    { direct: true, readonly: true },
    { direct: false, readonly: false },
  ])("is opened as QEMU would open it: %o", async ({ direct, readonly }) => {
    const directory = mkdtempSync(join(tmpdir(), "kata-block-"));
    const device = join(directory, "disk");
    writeFileSync(device, Buffer.alloc(4096));
    const handed: number[] = [];
    const server = createServer((socket) => {
      socket.write('{"QMP":{"version":{},"capabilities":[]}}\n');
      const lines = new LineReader(65_536, (line) => {
        const { execute, id } = JSON.parse(line) as Command;
        if (execute === "add-fd") handed.push(...openFlags(device));
        socket.write(`${JSON.stringify({ return: execute === "add-fd" ? { "fdset-id": 1 } : {}, id })}\n`);
      });
      socket.on("data", (chunk: Buffer) => {
        lines.push(chunk);
      });
    });
    try {
      await new Promise<void>((resolve) => server.listen(join(directory, "qmp.sock"), resolve));
      await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
      const tuning = { cache: { direct, noFlush: false } };
      await plugDisk(qmp, { id: "disk-a", device, readonly, tuning, rootPort: "port" });
      const mask = constants.O_DIRECT | constants.O_RDWR | constants.O_WRONLY;
      expect(handed.map((flags) => flags & mask)).toEqual([
        (direct ? constants.O_DIRECT : 0) | (readonly ? constants.O_RDONLY : constants.O_RDWR),
      ]);
      expect(openFlags(device)).toEqual([]);
    } finally {
      server.close();
      rmSync(directory, { recursive: true });
    }
  });
});
