import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LinuxError, listenLoopback, listenUnix, openDatagrams } from "./index.ts";

/** Accepts one connection of the socket that it inherits, and sends a line. */
const ACCEPT = 'import socket; socket.socket(fileno=3).accept()[0].sendall(b"hello\\n")';

describe("a listening unix socket", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "linux-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is a child's to accept from, and gone with it", async () => {
    const path = join(directory, "socket");
    const fd = listenUnix(path, 1);
    const early = connect(path); // before anybody accepts
    const child = spawn("python3", ["-c", ACCEPT], { stdio: ["ignore", "ignore", "inherit", fd] });
    closeSync(fd);
    const [line] = (await once(early, "data")) as [Buffer];
    expect(line.toString()).toBe("hello\n");
    await once(child, "exit");
    const [error] = (await once(connect(path), "error")) as [Error];
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("is refused where something is, and where its name is too long", () => {
    const path = join(directory, "socket");
    closeSync(listenUnix(path, 1));
    expect(() => listenUnix(path, 1)).toThrow(LinuxError);
    expect(() => listenUnix(path, 1)).toThrow(`bind ${path}: EADDRINUSE`);
    expect(() => listenUnix(join(directory, "x".repeat(108)), 1)).toThrow("too long");
  });
});

describe("a listening socket of the loopback", () => {
  it("is there at once, at a port of its own, for 127.0.0.1 alone", async () => {
    const server = createServer((socket) => socket.end("hello"));
    server.listen({ fd: listenLoopback(1) });
    const { address, port } = server.address() as AddressInfo;
    expect(address).toBe("127.0.0.1");
    const [line] = (await once(connect(port, address), "data")) as [Buffer];
    expect(String(line)).toBe("hello");
    server.close();
    await once(server, "close");
  });
});

describe("a socket for datagrams", () => {
  it("is read by node:dgram, and not waited for once it is empty", async () => {
    const socket = createSocket("udp4").bind({ fd: openDatagrams({ address: "127.0.0.1", port: 0 }) });
    for (const word of ["hello", "again"]) {
      const heard = once(socket, "message");
      socket.send(word, socket.address().port, "127.0.0.1");
      expect(String((await heard)[0])).toBe(word);
      await new Promise(setImmediate);
    }
    const closed = once(socket, "close");
    socket.close();
    await closed;
  });
});
