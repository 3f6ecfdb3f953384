import type { Duplex } from "node:stream";
import {
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type StatusObject,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { AuthorityFilter } from "./authority-filter.ts";
import { AgentRpcError, RpcStatus } from "./errors.ts";
import { type Request, type ResponseInput, type RpcName, rpcs } from "./rpcs.ts";

export interface CallContext {
  /** Aborts when the caller goes away or its deadline passes. */
  readonly signal: AbortSignal;
}

type Handler<N extends RpcName> = (request: Request<N>, context: CallContext) => Promise<ResponseInput<N>>;

/** What an agent serves. An RPC without a handler answers UNIMPLEMENTED, naming itself. */
export type AgentHandlers = { readonly [N in RpcName]?: Handler<N> };

export interface AgentServer {
  /** Serves gRPC on one connection, such as a yamux stream. */
  serve(connection: Duplex): void;
  /** Ends all connections at once. */
  close(): void;
}

const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

export function createAgentServer(handlers: AgentHandlers): AgentServer {
  const server = new Server({ "grpc.max_receive_message_length": MAX_REQUEST_BYTES });
  const service: Record<string, MethodDefinition<object, object>> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const name of Object.keys(rpcs) as RpcName[]) {
    service[name] = methodDefinition(name);
    implementation[name] = bind(name, handlers[name]);
  }
  server.addService(service, implementation);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    serve: (connection) => {
      injector.injectConnection(new AuthorityFilter(connection));
    },
    close: () => {
      injector.destroy();
      server.forceShutdown();
    },
  };
}

function methodDefinition(name: RpcName): MethodDefinition<object, object> {
  const { path, request, response } = rpcs[name];
  const encodeWith = (codec: unknown, message: object): Buffer =>
    Buffer.from((codec as { encode(message: object): { finish(): Uint8Array } }).encode(message).finish());
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message) => encodeWith(request, message),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (message) => encodeWith(response, message),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}

function bind(name: RpcName, handler: Handler<RpcName> | undefined): handleUnaryCall<Request<RpcName>, object> {
  return (call, callback) => {
    if (handler === undefined) {
      callback(toStatus(new AgentRpcError(RpcStatus.Unimplemented, `${rpcs[name].path} is not served by this agent`)));
      return;
    }
    const abort = new AbortController();
    call.on("cancelled", () => {
      abort.abort();
    });
    // A handler that throws at once is one that rejects.
    const answer = (async () => handler(call.request, { signal: abort.signal }))();
    answer.then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        callback(toStatus(error));
      },
    );
  };
}

function toStatus(error: unknown): Partial<StatusObject> {
  const code = error instanceof AgentRpcError ? error.status : RpcStatus.Internal;
  const details = error instanceof Error ? error.message : String(error);
  const answer: object = { code, details }; // grpc-js wants its own enum; the numbers are the same.
  return answer;
}
