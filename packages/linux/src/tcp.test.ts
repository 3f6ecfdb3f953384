import { once } from "node:events";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { connectTcp, inNewNamespace } from "./index.ts";

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
