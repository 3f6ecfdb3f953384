import type { Writer } from "protobufjs/minimal.js";

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
}

const DEADLINE = 60_000;
export const CHECK_DEADLINE = 30_000;

/** @param path package, service and method: `grpc.AgentService/CreateSandbox` */
export function rpc<ReqIn, ReqOut, ResIn, ResOut>(
  path: string,
  request: Codec<ReqIn, ReqOut>,
  response: Codec<ResIn, ResOut>,
  deadlineMs: number | undefined = DEADLINE,
): Rpc<ReqIn, ReqOut, ResIn, ResOut> {
  return { path: `/${path}`, request, response, deadlineMs };
}

/** An RPC that answers only when something happens in the guest: its caller ends it by abort or by closing. */
export function waiting<ReqIn, ReqOut, ResIn, ResOut>(
  path: string,
  request: Codec<ReqIn, ReqOut>,
  response: Codec<ResIn, ResOut>,
): Rpc<ReqIn, ReqOut, ResIn, ResOut> {
  return { ...rpc(path, request, response), deadlineMs: undefined };
}
