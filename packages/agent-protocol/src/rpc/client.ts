import type { Socket } from "node:net";
import { AgentCaller } from "./agent-caller.ts";
import type { Caller } from "./caller.ts";
import { calls as definitions } from "./calls.ts";
import type { RequestInput, Response, RpcName } from "./contract.ts";
import { AgentRpcError, RpcStatus } from "./errors.ts";
import { codecsOf } from "./load-codecs.ts";
import { unixSocket } from "./reach.ts";
import { WatchfulCaller } from "./watchful-caller.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; the table's default applies when absent. */
  readonly deadlineMs?: number | undefined;
  /**
   * Milliseconds, 20 000 by default: an agent that gives no sign of life for so long is not waited for up to the deadline.
   * Calls without a deadline wait for an event, and outlive any silence.
   */
  readonly silenceMs?: number | undefined;
  /** Wait for a channel that is not there yet, as a booting guest's, instead of failing at once. */
  readonly waitForReady?: boolean | undefined;
}

const SILENCE_MS = 20_000;

type Calls = { readonly [N in RpcName]: (request: RequestInput<N>, options?: CallOptions) => Promise<Response<N>> };

/** One method per RPC of the contract. A method rejects with AgentRpcError. */
export interface AgentClient extends Calls, Disposable {
  /** Closes the connection; calls in flight reject. */
  close(): void;
}

export interface ConnectOptions {
  /** Whether an open connection keeps this process running, as by default. A call with a deadline does in any case. */
  readonly keepsRunning?: boolean | undefined;
  /** Makes a connection to what the URL names; by default only unix sockets are reached. */
  readonly dial?: ((url: string) => Promise<Socket>) | undefined;
}

/**
 * The connection is made by the first call.
 *
 * @param url `unix:///path/to/proxy.sock`, or another one that `dial` knows
 */
export function connectAgent(url: string, { keepsRunning = true, dial }: ConnectOptions = {}): AgentClient {
  const connect = dial === undefined ? unixSocket(url) : () => dial(url);
  const caller = new WatchfulCaller(new AgentCaller(connect, keepsRunning));
  const calls: Record<string, unknown> = {};
  for (const name of Object.keys(definitions) as RpcName[]) {
    calls[name] = (request: RequestInput<typeof name>, options?: CallOptions) => call(caller, name, request, options);
  }
  const close = (): void => {
    caller.close();
  };
  return { ...(calls as Calls), close, [Symbol.dispose]: close };
}

async function call<N extends RpcName>(
  caller: Caller,
  name: N,
  request: RequestInput<N>,
  { signal, waitForReady = false, silenceMs = SILENCE_MS, ...options }: CallOptions = {},
): Promise<Response<N>> {
  const definition = definitions[name];
  const { path } = definition;
  const deadlineMs = options.deadlineMs ?? definition.deadlineMs;
  const expiresAt = deadlineMs === undefined ? undefined : performance.now() + deadlineMs;
  const codecs = await codecsOf(name);
  const encode = codecs.request.encode as (message: RequestInput<N>) => { finish(): Uint8Array };
  const limits = { expiresAt, silenceMs, signal, waitForReady };
  const reply = await caller.call({ path, request: encode(request).finish(), ...limits });
  if (reply.length > definition.maxReplyBytes) {
    const sizes = `${String(reply.length)} bytes, and the limit is ${String(definition.maxReplyBytes)}`;
    throw new AgentRpcError(RpcStatus.ResourceExhausted, `the reply has ${sizes}`, { rpc: path });
  }
  try {
    return codecs.response.decode(reply) as Response<N>;
  } catch (error) {
    throw new AgentRpcError(RpcStatus.Internal, "the reply is malformed", { rpc: path, cause: error });
  }
}
