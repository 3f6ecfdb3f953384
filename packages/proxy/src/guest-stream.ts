import type { Duplex } from "node:stream";
import { CLOCK, MAX_QUESTIONS, readBytes, writeTime } from "@kata-ts/agent-protocol/network-streams";
import type { DnsForwarder } from "./dns-forwarder.ts";

const DEADLINE_MS = 15_000;
/** Date.now() leaves out what is less than a millisecond: half of one on average. */
const LEFT_OUT_MS = 0.5;

/** Serves a stream that the guest opened, to its end: its first byte tells what the guest wants to know. Never rejects. */
export async function serveGuestStream(
  stream: Duplex,
  dns: Pick<DnsForwarder, "serve">,
  now: () => number = Date.now,
): Promise<void> {
  stream.on("error", () => undefined);
  const timer = setTimeout(() => stream.destroy(), DEADLINE_MS);
  try {
    const kind = await readBytes(stream, 1);
    if (kind === undefined) stream.destroy();
    else if (kind[0] === CLOCK) await tellTime(stream, now);
    else {
      clearTimeout(timer);
      stream.unshift(kind);
      await dns.serve(stream);
    }
  } catch {
    stream.destroy();
  } finally {
    clearTimeout(timer);
  }
}

async function tellTime(stream: Duplex, now: () => number): Promise<void> {
  for (let asked = 1; asked <= MAX_QUESTIONS; asked += 1) {
    writeTime(stream, now() + LEFT_OUT_MS);
    if ((await readBytes(stream, 1)) === undefined) break;
  }
  stream.destroy();
}
