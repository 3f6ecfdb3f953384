import { once } from "node:events";
import { fstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { serveDescriptor } from "./pollable.ts";
import { listenUnix } from "./sockets.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "linux-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

it("connections of a listening descriptor are accepted, half-open, and its end closes it", async () => {
  const path = join(directory, "socket");
  const fd = listenUnix(path, 1);
  const accepted = Promise.withResolvers<Socket>();
  const server = serveDescriptor(fd, accepted.resolve);
  const client = connect({ path, allowHalfOpen: true });
  client.end("to the end");
  const socket = await accepted.promise;
  expect(await readToEnd(socket)).toBe("to the end");
  socket.end("and back");
  expect(await readToEnd(client)).toBe("and back");
  server.close();
  await once(server, "close");
  expect(() => fstatSync(fd)).toThrow("EBADF");
});

/** Without closing what is still to be written to. */
async function readToEnd(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(socket, "end");
  return text;
}

it("the descriptor keeps its number, and nothing else stays open", () => {
  const fd = listenUnix(join(directory, "socket"), 1);
  const before = readdirSync("/proc/self/fd");
  const { ino } = fstatSync(fd);
  const server = serveDescriptor(fd, (socket) => socket.destroy());
  expect(fstatSync(fd).ino).toBe(ino);
  expect(readdirSync("/proc/self/fd")).toEqual(before);
  server.close();
});

it("what cannot be served is refused", () => {
  expect(() => serveDescriptor(999, (socket) => socket.destroy())).toThrow("EBADF");
});
