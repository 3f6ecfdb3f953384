import { type Answer, RpcError, RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import type { Writer } from "protobufjs/minimal.js";
import { refusalOf } from "./tasks/refusals.ts";

interface Codec {
  readonly decode: (bytes: Uint8Array) => object;
  readonly encode: (message: never) => Writer;
}

/** The messages of a service, method by method. */
export type Codecs = Readonly<Record<string, { readonly request: Codec; readonly response: Codec }>>;

type Reply<C extends Codec> = Parameters<C["encode"]>[0];

/** What answers each method of a service. */
export type Handlers<C extends Codecs> = {
  readonly [N in keyof C]: (
    request: ReturnType<C[N]["request"]["decode"]>,
    signal: AbortSignal,
  ) => Promise<Reply<C[N]["response"]>> | Reply<C[N]["response"]>;
};

/** A service of containerd's, and what answers it. */
export interface Service {
  /** The paths of its methods; the first group is a method's name. */
  readonly path: RegExp;
  readonly codecs: Codecs;
  readonly handlers: Readonly<Record<string, (request: never, signal: AbortSignal) => unknown>>;
  /** What a request is about, for the log. */
  readonly idOf: (request: object) => string;
}

/** Follows calls: is called when a call of a method begins, and returns what is called with its end. */
export type FollowCall = (method: string, id: string) => (refusal?: RpcError) => void;

/** Answers containerd's calls of all services, from bytes to bytes. */
export function answerCalls(services: readonly Service[], follow: FollowCall): Answer {
  return async (path, request, signal) => {
    const { name, codec, handler, idOf } = methodOf(services, path);
    const message = decoded(codec.request, request);
    const ended = follow(name, idOf(message));
    try {
      const answered = await handler(message as never, signal);
      const reply = codec.response.encode(answered as never).finish();
      ended();
      return reply;
    } catch (error) {
      const refusal = refusalOf(error);
      ended(refusal);
      throw refusal;
    }
  };
}

interface Method {
  readonly name: string;
  readonly codec: Codecs[string];
  readonly handler: Service["handlers"][string];
  readonly idOf: Service["idOf"];
}

/** @throws RpcError Unimplemented */
function methodOf(services: readonly Service[], path: string): Method {
  for (const { path: pattern, codecs, handlers, idOf } of services) {
    const name = pattern.exec(path)?.[1] ?? "";
    if (!Object.hasOwn(codecs, name)) continue;
    const [codec, handler] = [codecs[name], handlers[name]];
    if (codec !== undefined && handler !== undefined) return { name, codec, handler, idOf };
  }
  throw new RpcError(RpcStatus.Unimplemented, `${path} is not served by this shim`);
}

function decoded({ decode }: Codec, request: Uint8Array): object {
  try {
    return decode(request);
  } catch (error) {
    throw new RpcError(RpcStatus.InvalidArgument, `the request is malformed: ${String(error)}`);
  }
}
