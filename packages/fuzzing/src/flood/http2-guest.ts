import type { Socket } from "node:net";
import { http2Frame } from "./guest-frames.ts";

export const Http2 = {
  data: 0,
  headers: 1,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
  altsvc: 10,
  unknown: 0xee,
} as const;

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const FIRST_WINDOW = 65_535;
const SETTING_BYTES = 6;
const INITIAL_WINDOW = 4;
const ACK = 1;
const END_HEADERS = 4;
/** `:status: 200`, as HPACK has it. */
const STATUS_200 = Buffer.from([0x88]);

/** Whether a connection begins as HTTP/2. */
export function isHttp2(head: Buffer): boolean {
  return head.subarray(0, 3).toString() === "PRI";
}

/** What an agent says before its answer to the first call. */
export function http2Beginning(): Buffer {
  return Buffer.concat([http2Frame(Http2.settings, 0, 0), http2Frame(Http2.settings, ACK, 0)]);
}

/** The answer's first part. */
export function http2AnswerBegins(): Buffer {
  return http2Frame(Http2.headers, END_HEADERS, 1, STATUS_200);
}

/**
 * Answers the first call as an agent that keeps to HTTP/2 does, its windows included, but sends each byte of its message in a
 * frame of its own.
 *
 * @returns how many bytes were sent when all were, or the connection was over
 */
export async function answerByteByByte(socket: Socket, head: Buffer, message: Buffer): Promise<number> {
  const windows = new Windows(socket, head);
  socket.write(Buffer.concat([http2Beginning(), http2AnswerBegins()]));
  let sent = 0;
  while (sent < message.length) {
    const count = Math.min(await windows.room(), message.length - sent, FIRST_WINDOW);
    if (count === 0) break;
    const frames = Array.from(message.subarray(sent, sent + count), (byte) =>
      http2Frame(Http2.data, 0, 1, Buffer.of(byte)),
    );
    windows.take(count);
    sent += count;
    await new Promise((resolve) => socket.write(Buffer.concat(frames), resolve));
  }
  return sent;
}

/** What the peer lets us send, of the connection and of stream 1. */
class Windows {
  readonly #room: [connection: number, stream: number] = [FIRST_WINDOW, FIRST_WINDOW];
  readonly #socket: Socket;
  #unread: Buffer;
  #wake: () => void = () => undefined;

  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    this.#unread = head;
    let isPrefaceRead = false;
    const read = (chunk: Buffer): void => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      if (!isPrefaceRead && this.#unread.length >= PREFACE_BYTES) {
        isPrefaceRead = true;
        this.#unread = this.#unread.subarray(PREFACE_BYTES);
      }
      if (isPrefaceRead) this.#readFrames();
    };
    read(Buffer.alloc(0));
    socket.on("data", read);
    socket.once("close", () => {
      this.#wake();
    });
    socket.resume();
  }

  /** 0 once the connection is over. */
  async room(): Promise<number> {
    while (Math.min(...this.#room) === 0 && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#socket.destroyed ? 0 : Math.min(...this.#room);
  }

  take(bytes: number): void {
    this.#room[0] -= bytes;
    this.#room[1] -= bytes;
  }

  #readSettings(body: Buffer): void {
    for (let at = 0; at < body.length; at += SETTING_BYTES) {
      if (body.readUInt16BE(at) === INITIAL_WINDOW) this.#room[1] += body.readUInt32BE(at + 2) - FIRST_WINDOW;
    }
  }

  #readFrames(): void {
    while (this.#unread.length >= HEADER_BYTES) {
      const length = this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < HEADER_BYTES + length) return;
      const streamId = this.#unread.readUInt32BE(5);
      const body = this.#unread.subarray(HEADER_BYTES, HEADER_BYTES + length);
      if (this.#unread[3] === Http2.windowUpdate) this.#room[streamId === 0 ? 0 : 1] += body.readUInt32BE();
      if (this.#unread[3] === Http2.settings) this.#readSettings(body);
      this.#wake();
      this.#unread = this.#unread.subarray(HEADER_BYTES + length);
    }
  }
}
