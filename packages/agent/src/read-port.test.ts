import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { openTerminal } from "@kata-ts/linux";
import { expect, it } from "vitest";
import { readOn } from "./read-port.ts";

/** A terminal gives a line with each read, as a port gives one of its buffers. */
function withLines(lines: readonly string[], body: (fd: number) => void): void {
  const { master, slave } = openTerminal();
  const fd = openSync(`/proc/self/fd/${String(slave)}`, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    for (const line of lines) writeSync(master, line);
    body(fd);
  } finally {
    for (const each of [fd, slave, master]) closeSync(each);
  }
}

function firstOf(fd: number): Buffer {
  const buffer = Buffer.alloc(4096);
  return buffer.subarray(0, readSync(fd, buffer));
}

it("takes what a port holds at once, however little is in each of its buffers", () => {
  const lines = Array.from({ length: 20 }, (_, index) => `call ${String(index)}\n`);
  withLines(lines, (fd) => {
    expect(firstOf(fd).toString()).toBe(lines[0]);
    expect(readOn(fd, Buffer.from("call 0\n")).toString()).toBe(lines.join(""));
  });
});

it("leaves the rest of a flood for another turn", () => {
  const lines = Array.from({ length: 80 }, (_, index) => `${String(index)}\n`);
  withLines(lines, (fd) => {
    expect(readOn(fd, firstOf(fd)).toString()).toBe(lines.slice(0, 65).join(""));
    expect(readOn(fd, firstOf(fd)).toString()).toBe(lines.slice(65).join(""));
  });
});

it("gives what the stream has read where the port holds nothing more", () => {
  withLines(["one\n"], (fd) => {
    const first = firstOf(fd);
    expect(readOn(fd, first)).toBe(first);
  });
});
