import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import { type ReadHeader, Reply } from "./reply.ts";

type Headers = IncomingHttpHeaders & IncomingHttpStatusHeader;

/**
 * The reply to a call over Node's HTTP/2.
 *
 * @throws AgentRpcError
 */
export function replyOf(stream: ClientHttp2Stream, rpc: string): Promise<Buffer> {
  const reply = new Reply(rpc);
  return new Promise((resolve, reject) => {
    const take = (part: () => void): void => {
      try {
        part();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        stream.destroy();
      }
    };
    stream.on("response", (headers) => {
      take(() => {
        reply.begins(readerOf(headers));
      });
    });
    stream.on("trailers", (headers: Headers) => {
      take(() => {
        reply.ends(readerOf(headers));
      });
    });
    stream.on("data", (chunk: Buffer) => {
      take(() => {
        reply.push(chunk);
      });
    });
    stream.once("close", () => {
      take(() => {
        resolve(reply.message());
      });
    });
  });
}

function readerOf(headers: Headers): ReadHeader {
  return (name) => {
    const value = headers[name];
    return value === undefined ? undefined : String(value);
  };
}
