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

/**
 * Writes to a database without a pause: each transaction has a row, and the number of rows in another table. Each line of its input is
 * answered, after one more, with whether all of it is sound as it is on the disk, and how many rows there are.
 */
export const DATABASE = `
import os, sqlite3, sys, threading
def opened():
    database = sqlite3.connect("/rows.db", isolation_level=None, timeout=60)
    database.execute("PRAGMA journal_mode=WAL"), database.execute("PRAGMA synchronous=FULL")
    return database
def write():
    database, row = opened(), 0
    while True:
        row += 1
        database.execute("BEGIN")
        database.execute("INSERT INTO rows VALUES (?, ?)", (row, "x" * 2000))
        database.execute("UPDATE total SET rows = ?", (row,))
        database.execute("COMMIT")
        wrote.set()
database, wrote = opened(), threading.Event()
database.execute("CREATE TABLE rows (row INTEGER PRIMARY KEY, filling TEXT)")
database.execute("CREATE TABLE total (rows INTEGER)"), database.execute("INSERT INTO total VALUES (0)")
threading.Thread(target=write, daemon=True).start()
for line in sys.stdin:
    wrote.clear(), wrote.wait()
    for name in "/rows.db", "/rows.db-wal": os.posix_fadvise(os.open(name, os.O_RDONLY), 0, 0, os.POSIX_FADV_DONTNEED)
    database = opened()
    database.execute("BEGIN")
    [[sound]] = database.execute("PRAGMA integrity_check")
    [[count, first, last]] = database.execute("SELECT count(*), min(row), max(row) FROM rows")
    [[total]] = database.execute("SELECT rows FROM total")
    database.execute("COMMIT")
    same = count == last == total and first == 1
    print(sound if same else f"{count} rows, {first} to {last}, of {total}", count, flush=True)
`;

/** A directory of this test's, in which it has the disk of a container. */
export class Scratch implements AsyncDisposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "kata-checkpoint-"));

  /** @param rootfs busybox's by default; @param size of the disk, as mke2fs takes it */
  async disk(name: string, rootfs?: string, size = "64m"): Promise<string> {
    const disk = join(this.path, `${name}.ext4`);
    await execa("mke2fs", ["-q", "-t", "ext4", "-d", rootfs ?? (await busyboxRootfs()), disk, size]);
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

/** Calls back as soon as another snapshot copies a disk to the directory: its machine stands still, and its memory is copied. */
export async function whenDiskIsCopied(directory: string, then: () => void): Promise<void> {
  const disks = (): string[] => readdirSync(directory).filter((name) => name.startsWith("disk"));
  const before = disks();
  while (disks().length <= before.length) await new Promise(setImmediate);
  then();
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
