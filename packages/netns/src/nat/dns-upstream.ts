import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { connect, isIP, isIPv6 } from "node:net";
import { type DnsAnswer, type DnsQuestion, encodeQuery, parseAnswer } from "./dns-message.ts";

const PORT = 53;
const TRY_MS = 2_000;
const ROUNDS = 2;

export interface UpstreamAnswer extends DnsAnswer {
  readonly message: Buffer;
}

/** The host's resolvers, as its resolv.conf has them now; none where it cannot be read. */
export function hostResolvers(resolvConf: string): string[] {
  try {
    const lines = readFileSync(resolvConf, "utf8").split("\n");
    return lines.flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []).filter((each) => isIP(each) !== 0);
  } catch {
    return [];
  }
}

/**
 * Asks the host's resolvers one after the other, from the host's network. A guest cannot send there what they would be
 * mistaken for: each socket is connected, and takes what its resolver sends from its port alone.
 *
 * @param transport `tcp` for answers that are too long for a datagram
 * @returns undefined when none has answered
 */
export async function askUpstream(
  question: DnsQuestion,
  servers: readonly string[],
  transport: "udp" | "tcp",
): Promise<UpstreamAnswer | undefined> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of servers) {
      const ask = transport === "udp" ? askByDatagram : askByStream;
      const answer = await ask(question, server).catch(() => undefined);
      if (answer !== undefined) return answer;
    }
  }
  return undefined;
}

async function askByDatagram(question: DnsQuestion, server: string): Promise<UpstreamAnswer | undefined> {
  const id = randomInt(0x1_0000);
  const socket = createSocket(isIPv6(server) ? "udp6" : "udp4");
  try {
    return await new Promise<UpstreamAnswer | undefined>((resolve, reject) => {
      const timer = setTimeout(resolve, TRY_MS, undefined);
      socket.once("close", () => {
        clearTimeout(timer);
      });
      socket.once("error", reject);
      socket.on("message", (message) => {
        const answer = parseAnswer(message, question, id);
        if (answer !== undefined) resolve({ ...answer, message });
      });
      socket.connect(PORT, server, () => {
        socket.send(encodeQuery(question, id));
      });
    });
  } finally {
    socket.close();
  }
}

async function askByStream(question: DnsQuestion, server: string): Promise<UpstreamAnswer | undefined> {
  const id = randomInt(0x1_0000);
  const socket = connect(PORT, server);
  socket.setTimeout(TRY_MS, () => socket.destroy());
  socket.write(framed(encodeQuery(question, id)));
  try {
    for await (const message of unframed(socket)) {
      const answer = parseAnswer(message, question, id);
      if (answer !== undefined) return { ...answer, message };
    }
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** A message as streams carry it: behind its length. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** The messages of a stream; what is cut off at its end is passed over. */
export async function* unframed(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const chunk of stream) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      yield held.subarray(2, end);
      held = held.subarray(end);
    }
  }
}
