import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { abortError, type Call, type Caller, MAX_REPLY_BYTES, MAX_REQUEST_BYTES } from "../caller.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";

/** Calls by gRPC, over one HTTP/2 connection that the first call makes. */
export class GrpcCaller implements Caller {
  readonly #client: Client;
  readonly #pending: Set<{ cancel(): void }> = new Set();

  /** @param url `unix:///path` */
  constructor(url: string) {
    this.#client = new Client(url, credentials.createInsecure(), {
      "grpc.max_receive_message_length": MAX_REPLY_BYTES,
      "grpc.max_send_message_length": MAX_REQUEST_BYTES,
      "grpc.enable_retries": 0,
      "grpc.enable_http_proxy": 0,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.service_config_disable_resolution": 1,
      "grpc.initial_reconnect_backoff_ms": 50,
      "grpc.max_reconnect_backoff_ms": 1000,
      "grpc.min_reconnect_backoff_ms": 50,
    });
  }

  call({ path, request, expiresAt, signal, waitForReady }: Call): Promise<Uint8Array> {
    if (signal?.aborted === true) return Promise.reject(abortError(path, signal));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        pending.cancel();
      };
      const pending = this.#client.makeUnaryRequest<Uint8Array, Buffer>(
        path,
        (bytes) => Buffer.from(bytes),
        (bytes) => bytes,
        request,
        new Metadata({ waitForReady }),
        expiresAt === undefined ? {} : { deadline: Date.now() + expiresAt - performance.now() },
        (error, reply) => {
          signal?.removeEventListener("abort", onAbort);
          this.#pending.delete(pending);
          if (error !== null) reject(toAgentError(path, error, signal));
          else if (reply === undefined) reject(new AgentRpcError(RpcStatus.Internal, "empty reply", { rpc: path }));
          else resolve(reply);
        },
      );
      this.#pending.add(pending);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  close(): void {
    for (const pending of this.#pending) pending.cancel();
    this.#client.close();
  }
}

function toAgentError(path: string, error: ServiceError, signal: AbortSignal | undefined): AgentRpcError {
  if (signal?.aborted === true) return abortError(path, signal);
  return new AgentRpcError(error.code, error.details, { rpc: path, cause: error });
}
