import type { Duplex } from "node:stream";
import { ttrpc } from "#gen/ttrpc";
import { MAX_REPLY_BYTES, MAX_REQUEST_BYTES } from "../caller.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";
import { encodeFrame, MessageType, TtrpcFrameReader } from "./frame.ts";

/** Answers a call with its encoded reply, or rejects. */
export type Answer = (path: string, request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

/** Serves ttrpc on one connection until it ends; calls that are still being answered are aborted then. */
export function serveTtrpc(connection: Duplex, answer: Answer): void {
  const gone = new AbortController();
  const reader = new TtrpcFrameReader(MAX_REQUEST_BYTES, ({ streamId, type, message }) => {
    if (type !== MessageType.Request) return;
    void respond(message, answer, gone.signal).then((response) => {
      if (connection.writable) connection.write(encodeFrame(streamId, MessageType.Response, response));
    });
  });
  connection.on("data", (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch {
      connection.destroy();
    }
  });
  connection.on("error", () => undefined);
  connection.once("end", () => connection.destroy());
  connection.once("close", () => {
    gone.abort();
  });
}

async function respond(message: Uint8Array, answer: Answer, gone: AbortSignal): Promise<Uint8Array> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    over.abort();
  };
  gone.addEventListener("abort", end, { once: true });
  try {
    const { service, method, payload, timeout_nano } = ttrpc.Request.decode(message);
    const timeoutMs = Number(timeout_nano.toString()) / 1e6;
    if (timeoutMs > 0) timer = setTimeout(end, timeoutMs);
    const reply = await answer(`/${service}/${method}`, payload, over.signal);
    if (reply.length > MAX_REPLY_BYTES) {
      throw new AgentRpcError(RpcStatus.ResourceExhausted, `the reply has ${String(reply.length)} bytes`);
    }
    return ttrpc.Response.encode({ payload: reply }).finish();
  } catch (error) {
    const code = error instanceof AgentRpcError ? error.status : RpcStatus.Internal;
    const status = { code, message: error instanceof Error ? error.message : String(error) };
    return ttrpc.Response.encode({ status }).finish();
  } finally {
    clearTimeout(timer);
    gone.removeEventListener("abort", end);
  }
}
