import type { Writer } from "protobufjs/minimal.js";
import { MAX_REPLY_BYTES } from "./caller.ts";

/** A generated message class: $Properties goes in, the class with its defaults filled in comes out. */
export interface Codec<In, Out> {
  readonly encode: (message: In) => Writer;
  readonly decode: (bytes: Uint8Array) => Out;
}

export interface Rpc<ReqIn, ReqOut, ResIn, ResOut> {
  /** For example `/grpc.AgentService/CreateSandbox`. */
  readonly path: string;
  readonly request: Codec<ReqIn, ReqOut>;
  readonly response: Codec<ResIn, ResOut>;
  /** Milliseconds; undefined waits until the process or the channel ends. The values are Kata's. */
  readonly deadlineMs: number | undefined;
  /** A larger reply is refused before it is decoded. */
  readonly maxReplyBytes: number;
}

/**
 * For replies that are more than one run of bytes: each two of their bytes may become an object of a hundred. The largest
 * that is meant is the routes of a network namespace.
 */
const MAX_STRUCTURED_BYTES = 512 * 1024;

const DEADLINE = 60_000;
export const CHECK_DEADLINE = 30_000;

/** @param path package, service and method: `grpc.AgentService/CreateSandbox` */
export function rpc<ReqIn, ReqOut, ResIn, ResOut>(
  path: string,
  request: Codec<ReqIn, ReqOut>,
  response: Codec<ResIn, ResOut>,
  deadlineMs: number | undefined = DEADLINE,
): Rpc<ReqIn, ReqOut, ResIn, ResOut> {
  return { path: `/${path}`, request, response, deadlineMs, maxReplyBytes: MAX_STRUCTURED_BYTES };
}

/** An RPC that answers only when something happens in the guest: its caller ends it by abort or by closing. */
export function waiting<ReqIn, ReqOut, ResIn, ResOut>(
  path: string,
  request: Codec<ReqIn, ReqOut>,
  response: Codec<ResIn, ResOut>,
): Rpc<ReqIn, ReqOut, ResIn, ResOut> {
  return { ...rpc(path, request, response), deadlineMs: undefined };
}

/** An RPC whose reply carries one run of bytes, such as a process's output, and costs no more than these. */
export function bulk<Definition extends { readonly maxReplyBytes: number }>(definition: Definition): Definition {
  return { ...definition, maxReplyBytes: MAX_REPLY_BYTES };
}
