import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { growMemory } from "./grow.ts";
import { QmpClient } from "./qmp/client.ts";
import { LineReader } from "./qmp/line-reader.ts";
import { growResizable, shrinkMemory } from "./resizable-memory.ts";

const MIB = 1024 ** 2;
const MOST = 1024 * MIB;

/** A machine whose guest takes or gives a block of memory whenever it is looked at, up to a bound of its own. */
class Machine {
  requested = 0;
  size = 0;
  #most = Number.POSITIVE_INFINITY;

  takeAtMost(size: number): void {
    this.#most = size;
  }

  answer(execute: string, args: { value?: number } = {}): unknown {
    if (execute === "qom-set") this.requested = args.value ?? 0;
    if (execute !== "query-memory-devices") return {};
    const goal = Math.min(this.requested, this.#most);
    this.size += Math.sign(goal - this.size) * 128 * MIB;
    const resizable = {
      type: "virtio-mem",
      data: { size: this.size, "requested-size": this.requested, "max-size": MOST },
    };
    return [{ type: "virtio-pmem", data: { size: 256 * MIB } }, resizable];
  }
}

let directory = "";
let server: Server;
let machine: Machine;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "resizable-"));
  machine = new Machine();
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(join(directory, "qmp.sock"), resolve));
});

afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

function serve(socket: Socket): void {
  socket.write('{"QMP":{"version":{},"capabilities":[]}}\n');
  const lines = new LineReader(65_536, (line) => {
    const {
      execute,
      arguments: args,
      id,
    } = JSON.parse(line) as {
      execute: string;
      arguments?: { value?: number };
      id: number;
    };
    socket.write(`${JSON.stringify({ return: machine.answer(execute, args), id })}\n`);
  });
  socket.on("data", (chunk: Buffer) => {
    lines.push(chunk);
  });
}

it("memory that grows is the guest's when it is said to be, in whole blocks; less is not taken away by the way", async () => {
  await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
  expect(await growMemory(qmp, 300)).toBe(384);
  expect(machine).toMatchObject({ requested: 384 * MIB, size: 384 * MIB });
  expect(await growMemory(qmp, 512)).toBe(128);
  expect(await growMemory(qmp, 100)).toBe(0);
  expect(machine.requested).toBe(512 * MIB);
});

it("more than the machine can have is all that it can have, and a guest has time as long as it takes some", async () => {
  await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
  // Eight blocks, of which one is taken at each look.
  expect(await growResizable(qmp, { requested: 0, size: 0, most: MOST }, 5000, 100)).toBe(1024);
  expect(machine.requested).toBe(MOST);
});

it("memory is asked back, and never more is asked for by the way", async () => {
  await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
  await growMemory(qmp, 512);
  await shrinkMemory(qmp, 100);
  expect(machine.requested).toBe(128 * MIB);
  await shrinkMemory(qmp, 1024);
  expect(machine.requested).toBe(128 * MIB);
});

it("a guest that takes less than it is given is an error, which names what its kernel needs", async () => {
  machine.takeAtMost(128 * MIB);
  await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
  await expect(growResizable(qmp, { requested: 0, size: 0, most: MOST }, 256, 200)).rejects.toThrow(
    expect.objectContaining({
      code: "KATA_QMP_TIMEOUT",
      message: expect.stringMatching(/taken 128 of 256 MiB .* CONFIG_VIRTIO_MEM/) as string,
    }),
  );
});
