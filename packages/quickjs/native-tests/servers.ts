// A program that has no more descriptors. Node does the same, but cannot be given so few. Run by the engine alone.
import * as native from "kata:native";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const LIMIT = 64n;
const RLIMIT_NOFILE = 7;

/** All descriptors that are still free. @returns what gives them back */
function takeAll(): () => void {
  const [prlimit, before] = [native.functionNamed("prlimit"), new BigUint64Array(2)];
  native.call(prlimit, 0, RLIMIT_NOFILE, null, before);
  native.call(prlimit, 0, RLIMIT_NOFILE, new BigUint64Array([LIMIT, before[1] ?? LIMIT]), null);
  const files: number[] = [];
  try {
    for (;;) files.push(openSync("/dev/null", "r"));
  } catch {
    return () => {
      for (const fd of files) closeSync(fd);
      native.call(prlimit, 0, RLIMIT_NOFILE, before, null);
    };
  }
}

/** Connects once it has read a line, and ends with the number of bytes that it could read. */
const CLIENT = `
import socket, sys
sys.stdin.readline()
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.settimeout(10)
sys.exit(len(s.recv(100)))
`;

it("a server closes connections that it has no descriptor for, and takes the next ones", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kata-js-servers-"));
  const path = join(directory, "socket");
  const failures: unknown[] = [];
  let taken = 0;
  const server = createServer((socket) => {
    taken += 1;
    socket.end("taken");
  }).listen(path);
  server.on("error", (error: unknown) => failures.push(error));
  await once(server, "listening");
  const client = spawn("python3", ["-c", CLIENT, path], { stdio: ["pipe", "ignore", "inherit"] });
  const giveBack = takeAll();
  try {
    client.stdin.end("connect\n");
    const [bytesRead] = (await once(client, "exit")) as [number];
    expect(bytesRead).toBe(0);
  } finally {
    giveBack();
  }
  expect([taken, failures]).toEqual([0, []]);
  const next = connect(path).resume();
  await once(next, "close");
  expect([taken, failures]).toEqual([1, []]);
  server.close();
  await once(server, "close");
  const open = readdirSync("/proc/self/fd").length;
  server.listen(path);
  await once(server, "listening");
  server.close();
  await once(server, "close");
  expect(readdirSync("/proc/self/fd").length).toBe(open);
  rmSync(directory, { recursive: true });
});
