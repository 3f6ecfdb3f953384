import { once } from "node:events";
import type { Duplex } from "node:stream";
import { type AgentHandlers, createAgentServer, YamuxSession, YamuxSessionClosed } from "@kata-ts/agent-protocol";
import { PORT_PREFACE_BYTES, portOf } from "@kata-ts/agent-protocol/network-streams";
import { PREFACE_BYTES, recognise, tokenOf } from "@kata-ts/agent-protocol/process-stream";

import { connectPort } from "./network/connect-port.ts";

/** Takes over a stream whose preface named a process. */
export type ServeProcess = (stream: Duplex, token: Buffer, channelIsOver: () => boolean) => void;

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
  const server = createAgentServer(handlers);
  const session = new YamuxSession(channel, {
    role: "server",
    onStream: (stream) => {
      stream.on("error", () => undefined);
      void takeHead(stream).then((head) => {
        if (head === undefined) return;
        const kind = recognise(head);
        stream.unshift(head.subarray(kind === "process" ? PREFACE_BYTES : kind === "port" ? PORT_PREFACE_BYTES : 0));
        if (kind === "process") serveProcess(stream, tokenOf(head), () => session.over);
        else if (kind === "port") connectPort(stream, portOf(head));
        else server.serve(stream);
      });
    },
  });
  host.session = session;
  try {
    await session.closed;
  } finally {
    server.close();
  }
}

/** Streams that the guest opens to the host: over the channel that is there at the time. */
export class HostStreams {
  session: YamuxSession | undefined;

  /** @throws YamuxSessionClosed while the host is not there */
  open(): Duplex {
    if (this.session === undefined) throw new YamuxSessionClosed("the host has not connected yet");
    return this.session.open();
  }
}

/** As many of a stream's first bytes as tell what it is; undefined when it ends before that. */
async function takeHead(stream: Duplex): Promise<Buffer | undefined> {
  let head = Buffer.alloc(0);
  while (head.length === 0 || recognise(head) === undefined) {
    const data = stream.read() as Buffer | null;
    if (data !== null) head = Buffer.concat([head, data]);
    else if (stream.readableEnded || stream.destroyed) return undefined;
    else await Promise.race([once(stream, "readable"), once(stream, "close")]).catch(() => undefined);
  }
  return head;
}
