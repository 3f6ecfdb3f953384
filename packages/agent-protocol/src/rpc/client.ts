import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { AgentRpcError, RpcStatus } from "./errors.ts";
import { type RequestInput, type Response, type RpcName, type Rpcs, rpcs } from "./rpcs.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds; the table's default applies when absent. */
  readonly deadlineMs?: number;
  /** Wait for a channel that is not there yet, as a booting guest's, instead of failing at once. */
  readonly waitForReady?: boolean;
}

type Calls = { readonly [N in RpcName]: (request: RequestInput<N>, options?: CallOptions) => Promise<Response<N>> };

/** One method per RPC of the contract. A method rejects with AgentRpcError. */
export interface AgentClient extends Calls, Disposable {
  /** Closes the connection; calls in flight reject. */
  close(): void;
}

/** Replies are refused above this size: the guest does not decide how much memory the host gives it. */
const MAX_REPLY_BYTES = 4 * 1024 * 1024;

/** @param url `unix:///path/to/proxy.sock`. The connection is made by the first call. */
export function connectAgent(url: string): AgentClient {
  const client = new Client(url, credentials.createInsecure(), {
    "grpc.max_receive_message_length": MAX_REPLY_BYTES,
    "grpc.max_send_message_length": MAX_REPLY_BYTES,
    "grpc.enable_retries": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.service_config_disable_resolution": 1,
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.min_reconnect_backoff_ms": 50,
  });
  const calls: Record<string, unknown> = {};
  for (const name of Object.keys(rpcs) as RpcName[]) {
    calls[name] = (request: RequestInput<typeof name>, options?: CallOptions) => call(client, name, request, options);
  }
  const close = (): void => {
    client.close();
  };
  return { ...(calls as Calls), close, [Symbol.dispose]: close };
}

function call<N extends RpcName>(
  client: Client,
  name: N,
  request: RequestInput<N>,
  options: CallOptions = {},
): Promise<Response<N>> {
  const definition: Rpcs[RpcName] = rpcs[name];
  const { signal } = options;
  if (signal?.aborted === true) return Promise.reject(abortError(definition.path, signal));
  const deadlineMs = options.deadlineMs ?? definition.deadlineMs;
  const metadata = new Metadata({ waitForReady: options.waitForReady ?? false });
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      pending.cancel();
    };
    const pending = client.makeUnaryRequest<RequestInput<N>, Response<N>>(
      definition.path,
      (message) => encode(definition, message),
      (bytes) => definition.response.decode(bytes) as Response<N>,
      request,
      metadata,
      deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
      (error, response) => {
        signal?.removeEventListener("abort", onAbort);
        if (error !== null) reject(toAgentError(definition.path, error, signal));
        else if (response === undefined) reject(new AgentRpcError(RpcStatus.Internal, "empty reply"));
        else resolve(response);
      },
    );
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function encode<N extends RpcName>(definition: Rpcs[RpcName], message: RequestInput<N>): Buffer {
  const encodeRequest = definition.request.encode as (message: RequestInput<N>) => { finish(): Uint8Array };
  return Buffer.from(encodeRequest(message).finish());
}

function toAgentError(path: string, error: ServiceError, signal: AbortSignal | undefined): AgentRpcError {
  if (signal?.aborted === true) return abortError(path, signal);
  return new AgentRpcError(error.code, error.details, { rpc: path, cause: error });
}

function abortError(path: string, signal: AbortSignal): AgentRpcError {
  return new AgentRpcError(RpcStatus.Cancelled, "the call was aborted", { rpc: path, cause: signal.reason });
}
