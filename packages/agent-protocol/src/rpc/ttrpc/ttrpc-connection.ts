import type { Duplex } from "node:stream";
import { ttrpc } from "#gen/ttrpc";
import { readInTurns } from "../../turns.ts";
import { type Call, MAX_REPLY_BYTES, withinLimits } from "../caller.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";
import { encodeFrame, type Frame, MessageType, TtrpcFrameReader, TtrpcProtocolError } from "./frame.ts";

type Response = ReturnType<typeof ttrpc.Response.decode>;

/** The other side ended the connection before it had said anything in ttrpc. */
export class NotTtrpc extends Error {
  override readonly name = "NotTtrpc";
}

/** The caller's side of one connection. */
export class TtrpcConnection {
  /** Resolves when it is closed, by whomever. */
  readonly ended: Promise<void>;
  readonly #stream: Duplex;
  readonly #pending: Map<number, PromiseWithResolvers<Response>> = new Map();
  #nextId = 1;
  #answered = false;
  #failure: Error | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    const reader = new TtrpcFrameReader(MAX_REPLY_BYTES, (frame) => {
      this.#take(frame);
    });
    readInTurns(stream, (chunk) => {
      try {
        if (this.#failure === undefined) reader.push(chunk);
      } catch (error) {
        this.#fail(error as Error);
      }
    });
    stream.on("error", () => undefined);
    stream.once("end", () => stream.destroy());
    this.ended = new Promise((resolve) => {
      stream.once("close", () => {
        this.#fail(this.#failure);
        resolve();
      });
    });
  }

  /** @throws NotTtrpc, AgentRpcError */
  async call(call: Call): Promise<Uint8Array> {
    const id = this.#nextId;
    this.#nextId += 2;
    const answer = Promise.withResolvers<Response>();
    if (this.#stream.destroyed) answer.reject(this.#lost());
    else {
      this.#pending.set(id, answer);
      this.#stream.write(encodeFrame(id, MessageType.Request, encodeRequest(call)));
    }
    try {
      const { status, payload } = await withinLimits(answer.promise, call);
      const code = status?.code ?? RpcStatus.Ok;
      if (code !== RpcStatus.Ok) throw new AgentRpcError(code, status?.message ?? "", { rpc: call.path });
      return payload;
    } catch (error) {
      throw named(error, call.path);
    } finally {
      this.#pending.delete(id);
    }
  }

  close(): void {
    this.#failure ??= new AgentRpcError(RpcStatus.Cancelled, "the connection was closed");
    this.#stream.destroy();
  }

  /** A reply to a call whose caller gave up is dropped; a reply to a call that was never made ends the connection. */
  #take({ streamId, type, message }: Frame): void {
    if (type !== MessageType.Response || streamId % 2 === 0 || streamId >= this.#nextId) {
      throw new TtrpcProtocolError(`a message of type ${String(type)} for call ${String(streamId)} was not asked for`);
    }
    this.#answered = true;
    this.#pending.get(streamId)?.resolve(decodeResponse(message));
  }

  #fail(error: Error | undefined): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#lost());
    this.#pending.clear();
    this.#stream.destroy();
  }

  #lost(): Error {
    if (this.#failure instanceof TtrpcProtocolError) {
      // Who speaks HTTP/2 says so in its first bytes.
      if (!this.#answered) return new NotTtrpc(this.#failure.message);
      return new AgentRpcError(this.#failure.status, this.#failure.message, { cause: this.#failure });
    }
    if (this.#failure !== undefined) return this.#failure;
    if (!this.#answered) return new NotTtrpc("the connection ended without an answer");
    return new AgentRpcError(RpcStatus.Unavailable, "the connection to the agent was lost");
  }
}

function encodeRequest({ path, request, expiresAt }: Call): Uint8Array {
  const [, service = "", method = ""] = path.split("/");
  const left = expiresAt === undefined ? 0 : Math.max(1, Math.round(expiresAt - performance.now()));
  return ttrpc.Request.encode({ service, method, payload: request, timeout_nano: left * 1e6 }).finish();
}

function decodeResponse(message: Buffer): Response {
  try {
    return ttrpc.Response.decode(message);
  } catch (error) {
    throw new TtrpcProtocolError(`a reply is malformed: ${(error as Error).message}`);
  }
}

/** The same error for every call that a lost connection takes with it, but for the call's name. */
function named(error: unknown, path: string): unknown {
  if (!(error instanceof AgentRpcError) || error.rpc !== "") return error;
  return new AgentRpcError(error.status, error.message, { rpc: path, cause: error.cause ?? error });
}
