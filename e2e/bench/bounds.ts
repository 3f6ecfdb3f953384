import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { YamuxSession, type YamuxStream } from "@kata-ts/agent-protocol";
import { compare, median, type Row } from "./measure.ts";

const MIB = 1024 * 1024;
const RUNS = 5;
/** As kata-proxy has them. */
const WINDOW = 4 * MIB;
const BUDGET = 64 * MIB;

/** What a stream carries, and how many bytes go in one write. */
const LOADS = {
  "64 KiB at a time": { bytes: 512 * MIB, piece: 64 * 1024 },
  "64 bytes at a time": { bytes: 16 * MIB, piece: 64 },
} as const;

/** What it costs to bound the memory that a guest can take: a stream to the host through yamux, in turn with and without the bound. */
export async function bounds(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, load] of Object.entries(LOADS)) {
    const bounded: number[] = [];
    const unbounded: number[] = [];
    for (let run = 0; run <= RUNS; run++) {
      const [with_, without] = [await rate(load, { memoryBudget: BUDGET }), await rate(load, {})];
      if (run === 0) continue; // It warms the compiler.
      bounded.push(with_);
      unbounded.push(without);
    }
    const yardstick: Row = { what: `${name}, unbounded`, value: median(unbounded), unit: "MB/s" };
    rows.push(compare({ what: name, value: median(bounded), unit: "MB/s" }, yardstick), yardstick);
  }
  return rows;
}

async function rate(
  { bytes, piece }: { readonly bytes: number; readonly piece: number },
  bound: { readonly memoryBudget?: number },
): Promise<number> {
  const [hostEnd, guestEnd] = await socketPair();
  const guest = new YamuxSession(guestEnd, { role: "server", window: WINDOW, onStream: (stream) => void send(stream) });
  const host = new YamuxSession(hostEnd, { role: "client", window: WINDOW, ...bound });
  const began = performance.now();
  const stream = host.open();
  stream.write("go");
  let received = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received === bytes) break;
  }
  const seconds = (performance.now() - began) / 1000;
  hostEnd.destroy();
  await Promise.all([host.closed, guest.closed]);
  return bytes / 1e6 / seconds;

  async function send(to: YamuxStream): Promise<void> {
    to.on("error", () => undefined); // The host destroys it at the end.
    const data = Buffer.alloc(piece, 7);
    for (let sent = 0; sent < bytes; sent += piece) if (!to.write(data)) await once(to, "drain");
  }
}

async function socketPair(): Promise<[Socket, Socket]> {
  const directory = mkdtempSync(join(tmpdir(), "kata-bench-"));
  const server = createServer().listen(join(directory, "socket"));
  try {
    await once(server, "listening");
    const near = connect(join(directory, "socket"));
    const [far] = (await once(server, "connection")) as [Socket];
    return [near, far];
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
}
