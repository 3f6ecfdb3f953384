import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { plugNic, unplugNic } from "./nic.ts";
import { QmpClient } from "./qmp/client.ts";
import { LineReader } from "./qmp/line-reader.ts";

interface Command {
  readonly execute: string;
  readonly arguments: Record<string, unknown>;
  readonly id: number;
}

let directory = "";
let server: Server;
let commands: Command[];
/** Commands that are refused. */
let refused: Set<string>;
/** How often a slot is not at rest when a device is to leave it. */
let busy: number;
/** Why the next device is not taken out. */
let denial: { readonly class: string; readonly desc: string } | undefined;
/** What is done instead of answering a command at once. */
let held: ((answer: () => void) => void) | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "nic-"));
  commands = [];
  refused = new Set();
  busy = 0;
  held = undefined;
  denial = undefined;
  server = createServer((socket) => {
    socket.write('{"QMP":{"version":{},"capabilities":[]}}\n');
    const lines = new LineReader(65_536, (line) => {
      const command = JSON.parse(line) as Command;
      commands.push(command);
      const isBusy = command.execute === "device_del" && busy-- > 0;
      const desc = isBusy ? "Hot-unplug failed: guest is busy (power indicator blinking)" : "no";
      const denied = command.execute === "device_del" ? denial : undefined;
      const answer =
        isBusy || refused.has(command.execute) || denied !== undefined
          ? { error: denied ?? { class: "GenericError", desc }, id: command.id }
          : { return: {}, id: command.id };
      const send = (): void => {
        socket.write(`${JSON.stringify(answer)}\n`);
      };
      if (held === undefined || command.execute !== "device_add") send();
      else held(send);
      if (command.execute === "device_del" && !isBusy && denied?.class !== "DeviceNotFound") {
        socket.write(`${JSON.stringify({ event: "DEVICE_DELETED", data: { device: command.arguments.id } })}\n`);
      }
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

const executed = (): string[] => commands.slice(1).map(({ execute }) => execute);

describe("network cards", () => {
  it("are plugged in with every queue, and with vhost-net's descriptors where there are some", async () => {
    const fd = openSync("/dev/null", "r");
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    const backend = { kind: "tap", mac: "02:00:00:00:00:01", queues: [fd, fd], vhost: [fd, fd] } as const;
    await plugNic(qmp, { id: "nic2", rootPort: "rp1", backend });
    closeSync(fd);
    expect(executed()).toEqual(["getfd", "getfd", "getfd", "getfd", "netdev_add", "device_add"]);
    expect(commands.at(-2)?.arguments).toEqual({
      type: "tap",
      id: "nic2-net",
      fds: "nic2-fd0:nic2-fd1",
      vhost: true,
      vhostfds: "nic2-vhostfd0:nic2-vhostfd1",
    });
    expect(commands.at(-1)?.arguments).toEqual({
      driver: "virtio-net-pci",
      id: "nic2",
      netdev: "nic2-net",
      mac: "02:00:00:00:00:01",
      bus: "rp1",
      romfile: "",
      mq: true,
      vectors: 6,
    });
  });

  it("leave no backend behind where the card is refused", async () => {
    refused.add("device_add");
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    const backend = { kind: "tap", mac: "02:00:00:00:00:01", queues: [] } as const;
    await expect(plugNic(qmp, { id: "nic2", rootPort: "rp1", backend })).rejects.toMatchObject({
      code: "KATA_QMP_COMMAND",
    });
    expect(executed()).toEqual(["netdev_add", "device_add", "netdev_del"]);
  });

  it("may be whole PCI devices, for which QEMU has a minute and more: it pins the machine's memory meanwhile", async () => {
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      held = (answer) => {
        vi.advanceTimersByTime(60_000);
        answer();
      };
      await plugNic(qmp, { id: "nic4", rootPort: "rp2", backend: { kind: "vfio", pciAddress: "0000:01:00.0" } });
    } finally {
      vi.useRealTimers();
    }
    expect(executed()).toEqual(["device_add"]);
  });

  it("are taken out once the guest is done with powering them up, which QEMU refuses until then", async () => {
    busy = 2;
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    await unplugNic(qmp, { id: "nic2" });
    expect(executed()).toEqual(["device_del", "device_del", "device_del", "netdev_del"]);
  });

  it("that QEMU refuses to take out for another reason stay", async () => {
    refused.add("device_del");
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    await expect(unplugNic(qmp, { id: "nic2" })).rejects.toMatchObject({ code: "KATA_QMP_COMMAND" });
    expect(executed()).toEqual(["device_del"]);
  });

  it("are out where the guest has let go of them after an earlier call had given up, and are waited for where it is about to", async () => {
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    denial = { class: "DeviceNotFound", desc: "Device 'nic2' not found" };
    await unplugNic(qmp, { id: "nic2" });
    expect(executed()).toEqual(["device_del", "netdev_del"]);
    denial = { class: "GenericError", desc: "Device nic2 is already in the process of unplug" };
    await unplugNic(qmp, { id: "nic2" });
    expect(executed()).toEqual(["device_del", "netdev_del", "device_del", "netdev_del"]);
  });

  it("may be whole PCI devices, and are taken out when the guest has let go", async () => {
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    await plugNic(qmp, { id: "nic3", rootPort: "rp2", backend: { kind: "vfio", pciAddress: "0000:01:00.0" } });
    expect(commands.at(-1)?.arguments).toEqual({ driver: "vfio-pci", id: "nic3", host: "0000:01:00.0", bus: "rp2" });
    await unplugNic(qmp, { id: "nic3" });
    expect(executed()).toEqual(["device_add", "device_del", "netdev_del"]);
  });
});
