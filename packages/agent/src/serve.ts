import { once } from "node:events";
import type { Duplex } from "node:stream";
import { type AgentHandlers, type AgentServer, createAgentServer, YamuxSession } from "@kata-ts/agent-protocol";
import { OFFER, PORT_PREFACE_BYTES, portOf } from "@kata-ts/agent-protocol/network-streams";
import { detectProtocol, PREFACE_BYTES, tokenOf } from "@kata-ts/agent-protocol/process-stream";
import { HostStreams } from "./host-streams.ts";
import { connectPort } from "./network/connect-port.ts";

/** Takes over a stream whose preface named a process. */
export type ServeProcess = (stream: Duplex, token: Buffer, channelIsOver: () => boolean) => void;

/** What streams of the host's are served by, whatever channel they come over. */
export interface StreamServices {
  readonly server: AgentServer;
  readonly serveProcess: ServeProcess;
  readonly host: HostStreams;
}

/**
 * Serves the contract, and the streams of processes, over one connection of the host, until it goes away. Every
 * connection is a new yamux session with new stream ids; what the sandbox holds survives it.
 */
export async function serveChannel(
  channel: Duplex,
  handlers: AgentHandlers,
  serveProcess: ServeProcess,
  host: HostStreams = new HostStreams(),
): Promise<void> {
  const services = { server: createAgentServer(handlers), serveProcess, host };
  const session = new YamuxSession(channel, {
    role: "server",
    onStream: (stream) => {
      serveStream(stream, services, () => session.over);
    },
  });
  host.session = session;
  try {
    await session.closed;
  } finally {
    services.server.close();
  }
}

/**
 * Serves one stream of the host's by what its first bytes say it is.
 *
 * @param channelIsOver whether the stream has ended because the whole channel has
 */
export function serveStream(
  stream: Duplex,
  { server, serveProcess, host }: StreamServices,
  channelIsOver: () => boolean,
): void {
  stream.on("error", () => undefined);
  void takeHead(stream).then((head) => {
    if (head === undefined) return;
    const kind = detectProtocol(head) ?? "calls";
    const preface = { process: PREFACE_BYTES, port: PORT_PREFACE_BYTES, offer: OFFER.length, calls: 0 }[kind];
    stream.unshift(head.subarray(preface));
    if (kind === "process") serveProcess(stream, tokenOf(head), channelIsOver);
    else if (kind === "port") connectPort(stream, portOf(head));
    else if (kind === "offer") host.offer(stream);
    else server.serve(stream);
  });
}

/** A stream's first bytes, enough to detect its protocol; undefined when it ends before that. */
async function takeHead(stream: Duplex): Promise<Buffer | undefined> {
  let head = Buffer.alloc(0);
  while (head.length === 0 || detectProtocol(head) === undefined) {
    const data = stream.read() as Buffer | null;
    if (data !== null) head = Buffer.concat([head, data]);
    else if (stream.readableEnded || stream.destroyed) return undefined;
    else await Promise.race([once(stream, "readable"), once(stream, "close")]).catch(() => undefined);
  }
  return head;
}
