import type { Duplex } from "node:stream";
import {
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type StatusObject,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { MAX_REQUEST_BYTES } from "../../src/rpc/caller.ts";
import { calls } from "../../src/rpc/calls.ts";
import type { RpcName } from "../../src/rpc/contract.ts";
import { AgentRpcError, RpcStatus } from "../../src/rpc/errors.ts";
import { AuthorityFilter } from "./authority-filter.ts";

type Answer = (path: string, request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;
type Injector = ReturnType<Server["createConnectionInjector"]>;

/** Serves the contract by grpc-js: what others serve it with. */
export class GrpcServer {
  readonly #server = new Server({ "grpc.max_receive_message_length": MAX_REQUEST_BYTES });
  readonly #injector: Injector;

  /** @param answer from an RPC's path and encoded request to its encoded reply */
  constructor(answer: Answer) {
    const service: Record<string, MethodDefinition<Buffer, Buffer>> = {};
    const implementation: UntypedServiceImplementation = {};
    for (const name of Object.keys(calls) as RpcName[]) {
      const { path } = calls[name];
      service[name] = bytesInAndOut(path);
      implementation[name] = bind(path, answer);
    }
    this.#server.addService(service, implementation);
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  serve(connection: Duplex): void {
    this.#injector.injectConnection(new AuthorityFilter(connection));
  }

  close(): void {
    this.#injector.destroy();
    this.#server.forceShutdown();
  }
}

function bytesInAndOut(path: string): MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

function bind(path: string, answer: Answer): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const abort = new AbortController();
    call.on("cancelled", () => {
      abort.abort();
    });
    answer(path, call.request, abort.signal).then(
      (reply) => {
        callback(null, Buffer.from(reply));
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
