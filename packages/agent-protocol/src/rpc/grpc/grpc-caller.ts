import { type ClientHttp2Session, connect } from "node:http2";
import type { Duplex } from "node:stream";
import { abortError, type Call, type Caller, withinLimits } from "../caller.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";
import { type Connect, connectOnce, reach } from "../reach.ts";
import { grpcMessage } from "./message.ts";
import { formatTimeout } from "./metadata.ts";
import { replyOf } from "./unary.ts";

/** Of a reply that is not read yet. The guest may send each byte of it in a frame, and one turn of the loop takes them all. */
const WINDOW_BYTES = 16 * 1024;

/**
 * Calls by gRPC, over one HTTP/2 connection that the first call makes. HTTP/2 is Node's; what it carries is read here, since
 * the guest chooses how a reply is cut into frames, and gRPC's own library keeps each of them by itself.
 */
export class GrpcCaller implements Caller {
  readonly #connectAgent: Connect;
  readonly #keepsRunning: boolean;
  /** An agent may announce the end of one and keep it: new calls have another then. */
  readonly #open: Set<ClientHttp2Session> = new Set();
  #session: Promise<ClientHttp2Session> | undefined;
  #closed = false;

  /** @param keepsRunning whether the open connection keeps this process running */
  constructor(connect: Connect, keepsRunning = true) {
    this.#connectAgent = connect;
    this.#keepsRunning = keepsRunning;
  }

  /** @throws AgentRpcError */
  async call(call: Call): Promise<Uint8Array> {
    const { path, signal } = call;
    if (signal?.aborted === true) throw abortError(path, signal);
    const reaching = reach(
      call,
      () => this.#shared(),
      () => this.#closed,
    );
    const session = await withinLimits(reaching, call);
    try {
      return await ask(session, call);
    } catch (error) {
      throw this.#closed ? closedError(path) : error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#open) session.destroy();
  }

  #shared(): Promise<ClientHttp2Session> {
    if (this.#session === undefined) {
      const opening = this.#connect();
      const forget = (): void => {
        if (this.#session === opening) this.#session = undefined;
      };
      this.#session = opening;
      opening.then((session) => {
        session.once("close", forget);
        session.once("goaway", forget);
      }, forget);
    }
    return this.#session;
  }

  async #connect(): Promise<ClientHttp2Session> {
    const socket: Duplex = await connectOnce(this.#connectAgent, this.#keepsRunning);
    const session = connect("http://localhost", {
      createConnection: () => socket,
      // In megabytes: what Node holds for a guest that sends and does not read.
      maxSessionMemory: 4,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: 64 * 1024 },
    });
    session.on("error", () => undefined);
    if (!this.#keepsRunning) session.unref();
    this.#open.add(session);
    session.once("close", () => this.#open.delete(session));
    if (this.#closed) session.destroy();
    return session;
  }
}

async function ask(session: ClientHttp2Session, call: Call): Promise<Uint8Array> {
  if (session.closed || session.destroyed) throw lostError(call.path);
  const stream = session.request({
    ":method": "POST",
    ":path": call.path,
    "content-type": "application/grpc",
    te: "trailers",
    ...timeoutOf(call),
  });
  stream.on("error", () => undefined);
  try {
    const reply = replyOf(stream, call.path);
    stream.end(grpcMessage(call.request));
    return await withinLimits(reply, call);
  } finally {
    stream.close(CANCEL);
  }
}

function timeoutOf({ expiresAt }: Call): Record<string, string> {
  return expiresAt === undefined ? {} : { "grpc-timeout": formatTimeout(expiresAt - performance.now()) };
}

/** HTTP/2's code; a stream that is over is not changed by it. */
const CANCEL = 8;

function lostError(rpc: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.Unavailable, "the connection to the agent was lost", { rpc });
}

function closedError(rpc: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.Cancelled, "the connection was closed", { rpc });
}
