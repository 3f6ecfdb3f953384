import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, mkdtempSync, readSync, rmSync, writeSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  createPipe,
  descriptorOf,
  isHungUp,
  makeRaw,
  openPollable,
  openTerminal,
  receiveDescriptor,
  sendConsole,
  setModes,
  setWindowSize,
  unreadBytes,
  windowSize,
} from "./index.ts";

function modesOf(slave: number): string {
  return execFileSync("stty", ["-a"], { stdio: [slave, "pipe", "inherit"] }).toString();
}

describe("terminals", () => {
  it("have a size, modes that can be set again, and two ends", () => {
    const { master, slave } = openTerminal();
    setWindowSize(master, { rows: 33, columns: 77 });
    expect(windowSize(slave)).toEqual({ rows: 33, columns: 77 });
    const cooked = modesOf(slave);
    expect(cooked).toContain("rows 33; columns 77");
    const before = makeRaw(slave);
    expect(modesOf(slave)).toMatch(/min = 1; time = 0;/);
    for (const off of ["-icanon", "-echo", "-isig", "-opost", "-icrnl", "-ixon", "-iexten"]) {
      expect(modesOf(slave)).toContain(` ${off}`.trim());
    }
    writeSync(master, Buffer.from("\x03\r"));
    const read = Buffer.alloc(8);
    expect(read.subarray(0, readSync(slave, read)).toString()).toBe("\x03\r");
    setModes(slave, before);
    expect(modesOf(slave)).toBe(cooked);
    expect(isHungUp(slave)).toBe(false);
    closeSync(master);
    expect(isHungUp(slave)).toBe(true);
    closeSync(slave);
  });

  it("can be polled like a pipe", async () => {
    const { master, slave } = openTerminal();
    const stream = openPollable(master, { readable: true, writable: true });
    const child = spawn("sh", ["-c", "read line; echo got $line"], { stdio: [slave, slave, slave] });
    closeSync(slave);
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.write("hello\r");
    const [error] = (await once(stream, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("EIO"); // what the last slave's end looks like
    expect(text).toBe("hello\r\ngot hello\r\n");
    if (child.exitCode === null) await once(child, "exit");
  });
});

describe("descriptors", () => {
  it("pass through a socket", async () => {
    const directory = mkdtempSync(join(tmpdir(), "linux-"));
    const path = join(directory, "console.sock");
    const server = createServer({ pauseOnConnect: true }).listen(path);
    await once(server, "listening");
    const connected = once(server, "connection") as Promise<[Socket]>;
    const { master, slave } = openTerminal();
    const sent = sendConsole(path, master);
    const [socket] = await connected;
    await sent;
    const received = receiveDescriptor(descriptorOf(socket));
    expect(fstatSync(received).rdev).toBe(fstatSync(master).rdev);
    setWindowSize(received, { rows: 5, columns: 6 });
    expect(windowSize(slave)).toEqual({ rows: 5, columns: 6 });
    for (const fd of [received, master, slave]) closeSync(fd);
    socket.destroy();
    server.close();
    await expect(sendConsole(join(directory, "no-listener.sock"), 0)).rejects.toMatchObject({ code: "ENOENT" });
    rmSync(directory, { recursive: true });
  });

  it("of pipes tell what is unread", () => {
    const { read, write } = createPipe();
    writeSync(write, Buffer.alloc(4097));
    expect(unreadBytes(read)).toBe(4097);
    closeSync(read);
    closeSync(write);
  });
});
