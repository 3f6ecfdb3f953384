import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Process, RunningContainer } from "@kata-ts/virtcontainers";
import { execa } from "execa";
import { busyboxRootfs } from "./images.ts";

/** Counts in memory; each line of its input is answered with the count, which is also written to its disk. */
export const COUNTER = 'n=0; while read line; do n=$((n + 1)); echo "$n" > /count; echo "$line $n"; done';

/** A directory of this test's, in which it has the disk of a container. */
export class Scratch implements AsyncDisposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "kata-checkpoint-"));

  async disk(name: string): Promise<string> {
    const disk = join(this.path, `${name}.ext4`);
    await execa("mke2fs", ["-q", "-t", "ext4", "-d", await busyboxRootfs(), disk, "64m"]);
    return disk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What a process answers to a line, line by line. */
export function conversation(process: Process): (line: string) => Promise<string> {
  const lines = process[Symbol.asyncIterator]();
  return async (line) => {
    process.stdin.write(`${line}\n`);
    const answer = await lines.next();
    if (answer.done === true) throw new Error("the process has ended");
    return answer.value;
  };
}

/** @returns what the byte was */
export async function changeByte(path: string, offset: number, value?: number): Promise<number> {
  await using file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, offset);
  await file.write(Buffer.from([value ?? byte.readUInt8() ^ 1]), 0, 1, offset);
  return byte.readUInt8();
}

export function filesOf(directory: string): string[] {
  return readdirSync(directory).sort();
}

export function only(containers: readonly RunningContainer[]): RunningContainer {
  const [container] = containers;
  if (container === undefined || containers.length > 1) throw new Error("not one container");
  return container;
}

/** A program of the host that answers with what it is sent. */
export class EchoServer implements AsyncDisposable {
  readonly #server: Server;
  /** How many there have been. */
  connections = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.connections += 1;
      socket.on("error", () => undefined); // A guest's reset.
      socket.pipe(socket);
    });
  }

  static async start(): Promise<EchoServer> {
    const echo = new EchoServer();
    echo.#server.listen(0, "0.0.0.0");
    await once(echo.#server, "listening");
    return echo;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await Promise.resolve();
  }
}
