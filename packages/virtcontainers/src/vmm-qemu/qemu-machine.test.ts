import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess, lockFile } from "@kata-ts/linux";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LateDisk } from "../ports/late-disk.ts";
import { DiskRecords } from "../vm/disk-records.ts";
import { takeDisksOut } from "../vm/late-disks.ts";
import { defaultQemuConfig } from "./qemu-config.ts";
import { QemuMachine } from "./qemu-machine.ts";

interface Command {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, string>>;
  readonly id: number;
}

const OWNER = "a";
const INDICES = [0, 1, 2];

let directory: string;
let server: Server;
/** By index: what the guest has, and what QEMU has open for it. */
let devices: Set<number>;
let nodes: Set<number>;
/** After how many milliseconds the guest lets go of what it is asked for; undefined: it does not. */
let letsGoAfterMs: number | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "kata-machine-"));
  [devices, nodes] = [new Set(INDICES), new Set(INDICES)];
  letsGoAfterMs = undefined;
  server = createServer((socket) => {
    socket.write('{"QMP":{"version":{},"capabilities":[]}}\n');
    let rest = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const command = JSON.parse(line) as Command;
        socket.write(`${JSON.stringify({ ...answer(command), id: command.id })}\n`);
        if (command.execute === "device_del") letGoLater(command.arguments?.id ?? "", socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(join(directory, "qmp.sock"), resolve));
});

afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

/** In the words of QEMU, of a guest that lets go of nothing while it is waited for. */
function answer({ execute, arguments: { id = "", "node-name": node = "" } = {} }: Command): object {
  if (execute === "device_del" && !devices.has(indexOf(id)))
    return { error: { class: "DeviceNotFound", desc: `Device '${id}' not found` } };
  if (execute === "blockdev-del" && !nodes.delete(indexOf(node)))
    return { error: { class: "GenericError", desc: `Failed to find node with node-name='${node}'` } };
  return { return: {} };
}

function letGoLater(id: string, socket: Socket): void {
  // Of this test's guest: the next test has one of its own.
  const own = devices;
  if (letsGoAfterMs === undefined || !own.has(indexOf(id))) return;
  setTimeout(() => {
    own.delete(indexOf(id));
    if (socket.writable) socket.write(`${JSON.stringify({ event: "DEVICE_DELETED", data: { device: id } })}\n`);
  }, letsGoAfterMs).unref();
}

function indexOf(name: string): number {
  const hash = createHash("sha256").update(OWNER).digest("hex").slice(0, 16);
  return Number(new RegExp(`^disk-${hash}-(\\d)`).exec(name)?.[1]);
}

function machine(plugDeadlineMs?: number): QemuMachine {
  const itself = identifyProcess(process.pid);
  const state = { dir: directory, agentUrl: "", processes: [itself], vmm: itself, accelerator: "fake" };
  return new QemuMachine(state, { ...defaultQemuConfig, kernelPath: "/none", imagePath: "/none" }, plugDeadlineMs);
}

it("goes on once another call lets go of the machine, where it may wait, and says that it is busy where not", async () => {
  const other = await lockFile(join(directory, "plug.lock"), { deadlineMs: 0 });
  const busy = { code: "KATA_LOCK_TIMEOUT", message: expect.stringContaining(directory) as string };
  await expect(machine(0).goOn()).rejects.toMatchObject(busy);
  let isOver = false;
  const going = machine(0)
    .goOn({ patient: true })
    .finally(() => (isOver = true));
  await expect(machine(0).goOn()).rejects.toMatchObject(busy);
  expect(isOver).toBe(false);
  other[Symbol.dispose]();
  await going;
});

it("waits for all disks of an owner until one moment, also where the guest is slow and lets go of each", async () => {
  letsGoAfterMs = 100;
  // Each alone would be in time: the last one is gone after 300 ms at the earliest.
  const takeOut = machine().unplugDisks(OWNER, { deadlineMs: 250, last: 2 });
  await expect(takeOut).rejects.toThrow(LateDisk);
  expect([...nodes]).toContain(2);
});

it("takes out all disks of an owner, whichever the guest keeps for longer than others", async () => {
  const records = new DiskRecords(directory);
  const device = join(directory, "disk");
  writeFileSync(device, "");
  for (const index of INDICES)
    await records.add({ owner: OWNER, readonly: false, index, kind: "blk", where: String(index) }, device);
  const takeOut = () => takeDisksOut(machine(), records, OWNER, { deadlineMs: 0 });
  await expect(takeOut()).rejects.toThrow(LateDisk);
  for (const index of [0, 1]) devices.delete(index);
  await expect(takeOut()).rejects.toThrow(LateDisk);
  expect([...nodes]).toEqual([2]);
  await expect(takeOut()).rejects.toThrow(LateDisk);
  expect((await records.list()).map(({ index }) => index)).toEqual(INDICES);
  devices.delete(2);
  await takeOut();
  expect([...nodes]).toEqual([]);
  expect(await records.list()).toEqual([]);
});
