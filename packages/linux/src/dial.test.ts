import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { dial } from "./dial.ts";

let directory = "";
let path = "";
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "linux-"));
  path = join(directory, "socket");
});

afterEach(() => {
  server?.close();
  rmSync(directory, { recursive: true });
});

async function listen(onConnection: (socket: Socket) => void): Promise<void> {
  server = createServer(onConnection).listen(path);
  await once(server, "listening");
}

/** As a device in user space: answers the first line in these pieces. */
async function device(...answer: string[]): Promise<string[]> {
  const asked: string[] = [];
  await listen((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (line: Buffer) => {
      asked.push(line.toString());
      if (answer.length === 0) socket.end();
      for (const piece of answer) socket.write(piece);
    });
  });
  return asked;
}

it("a unix socket is reached by its path", async () => {
  await listen((socket) => socket.end("here"));
  const socket = await dial(`unix://${path}`);
  const [data] = (await once(socket, "data")) as [Buffer];
  expect(data.toString()).toBe("here");
  socket.destroy();
  await expect(dial(`unix://${path}.other`)).rejects.toMatchObject({ code: "ENOENT" });
});

it("a port behind a device in user space is asked for, and what follows the answer is the guest's", async () => {
  const asked = await device("OK 10", "24\nfrom the", " guest");
  const socket = await dial(`hvsock://${path}:1024`);
  let data = "";
  socket.on("data", (chunk: Buffer) => {
    data += chunk.toString();
    if (data === "from the guest") socket.destroy();
  });
  await once(socket, "close");
  expect(asked).toEqual(["CONNECT 1024\n"]);
});

it.each([
  ["ends the connection", []],
  ["says something else", ["NO\n"]],
  ["talks without end", ["x".repeat(100)]],
])("a device that %s is an error, and nothing stays open", async (_what, answer) => {
  await device(...answer);
  await expect(dial(`hvsock://${path}:1024`)).rejects.toThrow(`${path}: nothing listens at port 1024 of the guest`);
  const ended = new Promise((resolve) => server?.close(resolve));
  await ended;
});

it.each(["http://host:80", "vsock://host:1024", "vsock://3", "hvsock:///path", "hvsock:///path:x"])(
  "%s is refused",
  async (url) => {
    await expect(dial(url)).rejects.toThrow(TypeError);
  },
);
