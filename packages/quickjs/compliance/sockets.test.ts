import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { setImmediate as immediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;
let path: string;
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-js-"));
  path = join(directory, "socket");
});

afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
});

async function listen(onConnection: (socket: Socket) => void, options: object = {}): Promise<void> {
  server = createServer(options, onConnection).listen(path);
  await once(server, "listening");
}

async function pair(options: object = {}): Promise<[Socket, Socket]> {
  const accepted: Promise<Socket> = new Promise((resolve, reject) => {
    listen(resolve, { allowHalfOpen: true, ...options }).catch(reject);
  });
  if (server !== undefined) await once(server, "listening");
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, "connect");
  return [socket, await accepted];
}

describe("a socket", () => {
  it("emits connect, ready, data, end and close, in this order", async () => {
    await listen((socket) => socket.end("hello"));
    const order: string[] = [];
    const socket = connect(path);
    expect([socket.connecting, socket.readyState]).toEqual([true, "opening"]);
    for (const name of ["connect", "ready", "end", "close"]) socket.on(name, () => order.push(name));
    socket.on("data", (chunk: Buffer) => order.push(chunk.toString()));
    const [hadError] = (await once(socket, "close")) as [boolean];
    expect(order).toEqual(["connect", "ready", "hello", "end", "close"]);
    expect([hadError, socket.destroyed, socket.bytesRead]).toEqual([false, true, 5]);
  });

  it("sends what is written before it is connected", async () => {
    const got: Promise<string> = new Promise((resolve, reject) => {
      listen((socket) => {
        text(socket).then(resolve, reject);
      }).catch(reject);
    });
    if (server !== undefined) await once(server, "listening");
    const socket = connect(path);
    socket.write("early ");
    socket.end("bird");
    expect(await got).toBe("early bird");
  });

  it("hears the other side's last words, although that takes no more of what waits to be written", async () => {
    const [near, far] = await pair();
    far.pause();
    let heard = "";
    near.on("data", (chunk: Buffer) => {
      heard += String(chunk);
    });
    const failed = once(near, "error");
    near.write(Buffer.alloc(8 * 2 ** 20));
    await immediate();
    far.write("last words", () => far.destroy());
    const [error] = (await failed) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/^(EPIPE|ECONNRESET)$/);
    expect(heard).toBe("last words");
  });

  it("stays open for writing when the other side has ended, if it may", async () => {
    const [near, far] = await pair();
    far.end("bye");
    near.resume();
    await once(near, "end");
    expect([near.writable, near.destroyed]).toEqual([true, false]);
    near.end("still");
    expect(await text(far)).toBe("still");
    for (const socket of [near, far]) if (!socket.destroyed) await once(socket, "close");
  });

  it("ends with the other side, if it may not stay half open", async () => {
    const [near, far] = await pair({ allowHalfOpen: false });
    near.end();
    far.resume();
    near.resume();
    await once(near, "close");
    expect(far.writableEnded).toBe(true);
  });

  it("holds back a writer whose reader does not read", async () => {
    const [near, far] = await pair();
    far.pause();
    const chunk = Buffer.alloc(256 * 1024, 7);
    let sent = 0;
    while (near.write(chunk)) sent += 1;
    expect(near.writableNeedDrain).toBe(true);
    for (; sent < 8; sent++) near.write(chunk);
    near.end();
    const [all] = await Promise.all([buffer(far), once(near, "finish")]);
    expect([all.length % chunk.length, all.every((byte) => byte === 7)]).toEqual([0, true]);
    expect(near.bytesWritten).toBe(all.length);
    near.destroy();
  });

  it("fails with the connection's error", async () => {
    const [error] = (await once(connect(path), "error")) as [NodeJS.ErrnoException];
    expect(error).toMatchObject({ code: "ENOENT", errno: -2, syscall: "connect", address: path });
    expect(error.message).toBe(`connect ENOENT ${path}`);
    const socket = connect(path);
    socket.on("error", () => undefined);
    expect(await new Promise((resolve) => socket.once("close", resolve))).toBe(true);
  });

  it("fails what is written to it after the other side has gone", async () => {
    const [near, far] = await pair();
    near.resume();
    far.destroy();
    await once(near, "end");
    const failed = new Promise((resolve) => near.once("error", resolve));
    near.write("a");
    near.write("b");
    expect(await failed).toMatchObject({ code: "EPIPE", syscall: "write" });
  });

  it("destroys itself with the error that it is given, and fails what waits to be written", async () => {
    const [near] = await pair();
    const errors: unknown[] = [];
    near.on("error", (error) => errors.push(error));
    const chunk = Buffer.alloc(1024 * 1024);
    const written: unknown[] = [];
    for (let index = 0; index < 3; index++) near.write(chunk, (error) => written.push(error?.message));
    const reason = new Error("mine");
    near.destroy(reason);
    await new Promise((resolve) => near.once("close", resolve));
    expect(errors).toEqual([reason]);
    expect(written.at(-1)).toBe("mine");
  });

  it("reads into the caller's memory, and stops when its function says so", async () => {
    await listen((socket) => socket.write("0123456789"));
    const memory = Buffer.alloc(4);
    const got: string[] = [];
    let go: (() => void) | undefined;
    const stopped: Promise<void> = new Promise((resolve) => {
      go = resolve;
    });
    const onread = {
      buffer: memory,
      callback: (length: number, bytes: Uint8Array): boolean => {
        got.push(Buffer.from(bytes.subarray(0, length)).toString());
        if (got.length === 2) go?.();
        return got.length !== 2;
      },
    };
    const socket = connect({ path, onread } as never);
    await stopped;
    await immediate();
    expect(got).toEqual(["0123", "4567"]);
    socket.resume();
    while (got.length < 3) await immediate();
    expect(got[2]).toBe("89");
    socket.destroy();
  });

  it("takes a descriptor, and shows it", async () => {
    const [near, far] = await pair();
    const handle = (near as unknown as { _handle: { fd: number } | null })._handle;
    expect(handle !== null && handle.fd > 2).toBe(true);
    near.destroy();
    expect((near as unknown as { _handle: unknown })._handle).toBeNull();
    far.destroy();
    expect(() => new Socket({ fd: -1 })).toThrow();
  });

  it("can be iterated without being destroyed", async () => {
    const [near, far] = await pair();
    far.write("one");
    for await (const chunk of near.iterator({ destroyOnReturn: false })) {
      expect(String(chunk)).toBe("one");
      break;
    }
    expect(near.destroyed).toBe(false);
    far.end("two");
    expect(await text(near)).toBe("two");
  });
});

describe("a server", () => {
  it("has an address, and none of it left when it is closed", async () => {
    await listen((socket) => socket.destroy());
    expect(server?.address()).toBe(path);
    expect(() => {
      closeSync(openSync(path, 0));
    }).toThrow();
    const closed = once(server ?? createServer(), "close");
    server?.close();
    await closed;
    expect(server?.listening).toBe(false);
    server = undefined;
    const [error] = (await once(connect(path), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ENOENT");
  });

  it("waits with close for its connections", async () => {
    const [near, far] = await pair();
    let closed = false;
    server?.close(() => {
      closed = true;
    });
    await immediate();
    expect(closed).toBe(false);
    near.destroy();
    far.resume();
    far.end();
    await once(far, "close");
    await immediate();
    expect(closed).toBe(true);
    server = undefined;
  });

  it("has each connection's ticks run before the next connection", async () => {
    const order: string[] = [];
    const sockets: Socket[] = [];
    const both: Promise<void> = new Promise((resolve) => {
      void listen((socket) => {
        sockets.push(socket);
        order.push("connection");
        process.nextTick(() => {
          order.push("tick");
          if (order.length === 4) resolve();
        });
      }).then(() => {
        sockets.push(connect(path), connect(path));
      });
    });
    await both;
    expect(order).toEqual(["connection", "tick", "connection", "tick"]);
    for (const socket of sockets) socket.destroy();
  });

  it("has no more connections than it may", async () => {
    await listen((socket) => socket.write("hi"));
    if (server !== undefined) server.maxConnections = 1;
    const first = connect(path);
    await once(first, "data");
    const second = connect(path);
    expect(await text(second)).toBe("");
    first.destroy();
  });

  it("refuses a place that is taken", async () => {
    await listen(() => undefined);
    const other = createServer().listen(path);
    const [error] = (await once(other, "error")) as [NodeJS.ErrnoException];
    expect(error).toMatchObject({ code: "EADDRINUSE", syscall: "listen", address: path });
  });

  it("listens at a port of the loopback, and gives paused connections", async () => {
    server = createServer({ pauseOnConnect: true }, (socket) => {
      expect(socket.isPaused()).toBe(true);
      socket.resume();
      socket.end("hi");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port, family, address } = server.address() as AddressInfo;
    expect([family, address]).toEqual(["IPv4", "127.0.0.1"]);
    const socket = connect(port, "127.0.0.1");
    expect(await text(socket)).toBe("hi");
    const refused = connect(1, "127.0.0.1");
    const [error] = (await once(refused, "error")) as [NodeJS.ErrnoException];
    expect(error).toMatchObject({ code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:1", port: 1 });
  });
});
