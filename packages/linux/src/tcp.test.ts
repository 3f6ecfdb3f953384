import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { connected, connectTcp, inNewNamespace, resetTcp } from "./index.ts";

it("a connection to a port carries both ways, each to its end", async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const socket = connectTcp("127.0.0.1", port);
  socket.end("there and back");
  expect(await text(socket)).toBe("there and back");
  server.close();
  await once(server, "close");
});

it("a connection that is refused ends with an error", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  const socket = connectTcp("127.0.0.1", port);
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNREFUSED");
});

it("a connection is made in the namespace that the caller is in", () => {
  // A new one's loopback is down: nothing leads there.
  expect(() => inNewNamespace("net", () => connectTcp("127.0.0.1", 80))).toThrow("connect 127.0.0.1:80: ENETUNREACH");
});

it("a connection that is waited for is there, or its error says why not", async () => {
  const server = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const socket = await connected(connectTcp("127.0.0.1", port));
  expect(await text(socket)).toBe("hello");
  socket.destroy();
  server.close();
  await once(server, "close");
  await expect(connected(connectTcp("127.0.0.1", port))).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

it("a connection that is destroyed while it is waited for, or was before, is waited for no longer", async () => {
  const socket = inNewNamespace("net", () => {
    const input =
      "link add void type veth peer name void0\nlink set void0 up\naddr add 192.0.2.1/24 dev void\nlink set void up\n";
    execFileSync("ip", ["-batch", "-"], { input });
    return connectTcp("192.0.2.2", 80); // It is never answered.
  });
  const waiting = connected(socket);
  socket.destroy();
  await expect(waiting).rejects.toThrow("closed before");
  await expect(connected(socket)).rejects.toThrow("closed before");
});

it("a connection of another process is reset for both of its ends; what is gone, or is something else by now, is an error", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const script = `exec 3<>/dev/tcp/127.0.0.1/${String(port)}; read -u 3 line || echo over`;
  const child = spawn("bash", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  const [socket] = (await once(server, "connection")) as [Socket];
  const pid = child.pid ?? 0;
  const inode = Number(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${String(pid)}/fd/3`))?.[1]);
  for (const [descriptor, meant] of [
    [3, inode + 1],
    [1, inode],
  ] as const) {
    expect(() => {
      resetTcp(pid, descriptor, meant);
    }).toThrow("EBADF");
  }
  resetTcp(pid, 3, inode);
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNRESET");
  expect(await text(child.stdout)).toBe("over\n");
  server.close();
  await once(server, "close");
  expect(() => {
    resetTcp(process.pid, 100_000, inode);
  }).toThrow("EBADF");
});
