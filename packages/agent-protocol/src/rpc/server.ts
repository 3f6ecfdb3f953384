import type { Duplex } from "node:stream";
import type { Request, ResponseInput, RpcName } from "./contract.ts";
import { AgentRpcError, RpcStatus } from "./errors.ts";
import { UnaryServer } from "./grpc/unary-server.ts";
import { rpcs } from "./table.ts";
import { beginsLikeTtrpc } from "./ttrpc/frame.ts";
import { type Answer, serveTtrpc } from "./ttrpc/ttrpc-server.ts";

export interface CallContext {
  /** Aborts when the caller goes away or its deadline passes. */
  readonly signal: AbortSignal;
}

type Handler<N extends RpcName> = (request: Request<N>, context: CallContext) => Promise<ResponseInput<N>>;

/** What an agent serves. An RPC without a handler answers UNIMPLEMENTED, naming itself. */
export type AgentHandlers = { readonly [N in RpcName]?: Handler<N> };

export interface AgentServer {
  /** Serves one connection, such as a yamux stream: gRPC or ttrpc, by its first byte. */
  serve(connection: Duplex): void;
  /** Ends all connections at once. */
  close(): void;
}

export function createAgentServer(handlers: AgentHandlers): AgentServer {
  const answer = answerBy(handlers);
  const connections: Set<Duplex> = new Set();
  const grpc = new UnaryServer(answer);
  return {
    serve: (connection) => {
      connections.add(connection);
      connection.once("close", () => connections.delete(connection));
      connection.on("error", () => undefined);
      connection.once("readable", () => {
        const head = connection.read() as Buffer | null;
        if (head === null) {
          connection.destroy();
          return;
        }
        connection.unshift(head);
        if (beginsLikeTtrpc(head)) serveTtrpc(connection, answer);
        else grpc.serve(connection);
      });
    },
    close: () => {
      for (const connection of connections) connection.destroy();
      grpc.close();
    },
  };
}

type AnyHandler = (request: object, context: CallContext) => Promise<object>;

interface Entry {
  readonly decode: (bytes: Uint8Array) => object;
  readonly encode: (message: object) => { finish(): Uint8Array };
  readonly handler: AnyHandler | undefined;
}

/** Answers calls by their paths, from bytes to bytes. */
export function answerBy(handlers: AgentHandlers): Answer {
  const entries: Map<string, Entry> = new Map();
  for (const name of Object.keys(rpcs) as RpcName[]) {
    const { path, request, response } = rpcs[name];
    entries.set(path, {
      decode: request.decode,
      encode: response.encode,
      handler: handlers[name] as AnyHandler | undefined,
    });
  }
  return async (path, request, signal) => {
    const entry = entries.get(path);
    if (entry?.handler === undefined) {
      throw new AgentRpcError(RpcStatus.Unimplemented, `${path} is not served by this agent`);
    }
    return entry.encode(await entry.handler(decode(entry, request), { signal })).finish();
  };
}

function decode(entry: Entry, request: Uint8Array): object {
  try {
    return entry.decode(request);
  } catch (error) {
    throw new AgentRpcError(RpcStatus.InvalidArgument, `the request is malformed: ${(error as Error).message}`);
  }
}
