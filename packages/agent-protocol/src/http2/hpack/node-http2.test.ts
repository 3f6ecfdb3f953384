import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame } from "../frame.ts";
import { Http2FrameReader } from "../frame-reader.ts";
import { HeaderAssembly } from "../header-assembly.ts";
import { FrameType } from "../protocol.ts";
import { HpackDecoder } from "./decoder.ts";

/** Most octets that Node lets a header have, so that most Huffman codes occur. */
const CHARACTERS = Array.from({ length: 255 }, (_, code) => String.fromCharCode(code)).filter((character) =>
  /[!-~\x80-\xfe]/.test(character),
);

describe("header blocks of Node's encoder", () => {
  it("are decoded, with what the table holds of those before", async () => {
    const value = fc.oneof(
      fc.constantFrom("application/grpc", "trailers", "a-value-that-comes-again"),
      fc.string({ unit: fc.constantFrom(...CHARACTERS), minLength: 1, maxLength: 400 }),
    );
    const name = fc.constantFrom("user-agent", "grpc-timeout", "x-one", "x-two", "x-three", "accept-language");
    const lists: Record<string, string>[] = fc.sample(fc.dictionary(name, value, { minKeys: 1 }), 200);
    const last = { "x-one": CHARACTERS.join("") };
    lists.push(last, last);
    await using peer = await NodeClient.start();
    for (const headers of lists) peer.request(headers);
    const blocks = await peer.blocks(lists.length);
    const decoder = new HpackDecoder(64 * 1024);
    const decoded = blocks.map((block) => decoder.decode(block).filter(([each]) => !each.startsWith(":")));
    expect(decoded.map((fields) => Object.fromEntries(fields))).toEqual(lists);
    // The last one refers to what the one before has left in the table.
    expect(() => new HpackDecoder(64 * 1024).decode(blocks.at(-1) ?? Buffer.alloc(0))).toThrow("which is not there");
  });
});

/** Node's client, before a server that keeps its header blocks. */
class NodeClient implements AsyncDisposable {
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #blocks: Buffer[] = [];
  #onBlock: () => void = () => undefined;

  private constructor(session: ClientHttp2Session, socket: Socket) {
    this.#session = session;
    this.#socket = socket;
    const assembly = new HeaderAssembly();
    const reader = new Http2FrameReader(true, (frame) => {
      const block = assembly.take(frame);
      if (block === undefined) return;
      this.#blocks.push(block.bytes);
      this.#onBlock();
    });
    socket.write(encodeFrame(FrameType.Settings, 0, 0));
    socket.on("data", (chunk: Buffer) => {
      reader.push(chunk);
    });
  }

  static async start(): Promise<NodeClient> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const session = connect(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
    session.on("error", () => undefined);
    const [socket] = await accepted;
    server.close();
    return new NodeClient(session, socket);
  }

  request(headers: Record<string, string>): void {
    this.#session.request(headers).on("error", () => undefined);
  }

  async blocks(count: number): Promise<Buffer[]> {
    while (this.#blocks.length < count) {
      await new Promise<void>((resolve) => {
        this.#onBlock = resolve;
      });
    }
    return this.#blocks;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.destroy();
    this.#socket.destroy();
  }
}
