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

/** Which codecs are loaded together: scripts/lib/codec-groups.ts says so. */
export type CodecGroup = "extension" | "health" | "network" | "process" | "sandbox" | "specification" | "statistics";

/** An RPC without its codecs. */
export interface Call extends Pick<Rpc<never, unknown, never, unknown>, "path" | "deadlineMs" | "maxReplyBytes"> {
  readonly group: CodecGroup;
}

/** @param path package, service and method: `grpc.AgentService/CreateSandbox` */
export function call(group: CodecGroup, path: string, deadlineMs: number | undefined = DEADLINE): Call {
  return { group, path: `/${path}`, deadlineMs, maxReplyBytes: MAX_STRUCTURED_BYTES };
}

/** An RPC that answers only when something happens in the guest: its caller ends it by abort or by closing. */
export function waiting(group: CodecGroup, path: string): Call {
  return { ...call(group, path), deadlineMs: undefined };
}

/** An RPC whose reply carries one run of bytes, such as a process's output, and costs no more than these. */
export function bulk(definition: Call): Call {
  return { ...definition, maxReplyBytes: MAX_REPLY_BYTES };
}
