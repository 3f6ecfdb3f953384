import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { closeSync } from "node:fs";
import { expect, it } from "vitest";
import { inNewNamespace, type LoggedPacket, openDatagrams, openPacketLog } from "./index.ts";
import { readPacketLog } from "./packet-log.ts";

const RULES = `table inet test {
  chain output { type filter hook output priority 0; udp dport 7 log group 3 prefix "seen"; }
}`;

it("packets that a rule logs arrive, cut off, with the rule's prefix", async () => {
  const { promise, resolve } = Promise.withResolvers<LoggedPacket>();
  const { log, sender } = inNewNamespace("net", () => {
    execFileSync("ip", ["link", "set", "lo", "up"]);
    execFileSync("nft", ["-f", "-"], { input: RULES });
    return { log: openPacketLog(3, 32, resolve), sender: openDatagrams() };
  });
  const socket = createSocket("udp4").bind({ fd: sender });
  // The log is bound by messages that are written first: the kernel has read them before the socket can send.
  socket.send("hello, who is there", 7, "127.0.0.1");
  const { prefix, payload } = await promise;
  expect(prefix).toBe("seen");
  expect(payload).toHaveLength(32);
  expect(payload[0]).toBe(0x45);
  expect(payload.subarray(28).toString()).toBe("hell");
  log.destroy();
  socket.close();
});

const FLOOD = `import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(5000): sender.sendto(b"flood", ("127.0.0.1", 7))`;

it("packets that come faster than they are read are lost, and later ones arrive", { timeout: 30_000 }, async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { log, sender } = inNewNamespace("net", () => {
    execFileSync("ip", ["link", "set", "lo", "up"]);
    execFileSync("nft", ["-f", "-"], { input: RULES });
    const log = openPacketLog(3, 64, ({ payload }) => {
      if (payload.includes("late")) resolve();
    });
    execFileSync("python3", ["-c", FLOOD]); // Nothing is read meanwhile.
    return { log, sender: openDatagrams() };
  });
  const socket = createSocket("udp4").bind({ fd: sender });
  const again = setInterval(() => {
    socket.send("late", 7, "127.0.0.1");
  }, 10);
  await promise;
  clearInterval(again);
  log.destroy();
  socket.close();
});

it("a socket for datagrams is bound where it is wanted", async () => {
  const socket = createSocket("udp4");
  const fd = openDatagrams({ address: "127.0.0.1", port: 0 });
  await new Promise<void>((resolve) => {
    socket.bind({ fd }, resolve);
  });
  expect(socket.address().address).toBe("127.0.0.1");
  expect(() => openDatagrams({ address: "127.0.0.1", port: socket.address().port })).toThrow("EADDRINUSE");
  socket.close();
  expect(() => {
    closeSync(fd);
  }).toThrow("EBADF");
});

it("messages that are cut off, or of another kind, are passed over", () => {
  expect(readPacketLog(Buffer.alloc(3))).toEqual([]);
  const message = Buffer.alloc(24);
  message.writeUInt32LE(24, 0);
  message.writeUInt16LE(0x401, 4);
  expect(readPacketLog(message)).toEqual([]);
  message.writeUInt16LE(0x400, 4);
  message.writeUInt16LE(400, 20);
  expect(readPacketLog(message)).toEqual([{ prefix: "", payload: Buffer.alloc(0) }]);
  message.writeUInt32LE(400, 0);
  expect(readPacketLog(message)).toEqual([]);
});
