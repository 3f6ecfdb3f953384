import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, readdirSync, writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { createPipe } from "./pipes.ts";
import { openPollable } from "./pollable.ts";
import { openTerminal } from "./terminals.ts";

it("a pipe is read to its end, and closed with the stream", async () => {
  const { read, write } = createPipe();
  const stream = openPollable(read, { readable: true, writable: false });
  writeSync(write, "all of it");
  closeSync(write);
  expect(await text(stream)).toBe("all of it");
  if (!stream.closed) await once(stream, "close");
  expect(() => fstatSync(read)).toThrow("EBADF");
});

it("the descriptor keeps its number, and nothing else stays open", () => {
  const { master, slave } = openTerminal();
  const before = readdirSync("/proc/self/fd");
  const device = fstatSync(slave).rdev;
  const stream = openPollable(slave, { readable: true, writable: true, manualStart: true });
  expect(fstatSync(slave).rdev).toBe(device);
  expect(readdirSync("/proc/self/fd")).toEqual(before);
  stream.destroy();
  closeSync(master);
});

it("reads into the buffers that it is given", async () => {
  const { read, write } = createPipe();
  const buffer = Buffer.alloc(16);
  const chunks: string[] = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stream = openPollable(read, {
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (bytes, into) => {
        chunks.push(Buffer.from(into.subarray(0, bytes)).toString());
        resolve(undefined);
        return true;
      },
    },
  });
  writeSync(write, "into it");
  await promise;
  expect(chunks).toEqual(["into it"]);
  expect(buffer.toString("latin1", 0, 7)).toBe("into it");
  stream.destroy();
  closeSync(write);
});

it("what cannot be opened is refused, and nothing stays open", () => {
  const before = readdirSync("/proc/self/fd");
  expect(() => openPollable(999, { readable: true, writable: false })).toThrow("EBADF");
  expect(readdirSync("/proc/self/fd")).toEqual(before);
});

it("nothing of Node's that is deprecated is used", () => {
  const library = new URL("../dist/index.js", import.meta.url).href;
  const program = `
    import { openPollable, openTerminal } from ${JSON.stringify(library)};
    openPollable(openTerminal().master, { readable: true, writable: true }).destroy();`;
  const flags = ["--pending-deprecation", "--throw-deprecation", "--input-type=module"];
  const { status, stderr } = spawnSync(process.execPath, [...flags, "--eval", program], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
