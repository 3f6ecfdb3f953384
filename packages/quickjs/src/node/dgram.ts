import { Buffer } from "./buffer.ts";
import { ERRORS } from "./errno.ts";
import { nodeError, systemError } from "./errors.ts";
import { EventEmitter } from "./events.ts";
import { succeed, tryLibc } from "./libc.ts";
import { afterTurn } from "./loop/loop.ts";
import { READABLE, Watch } from "./loop/poll.ts";
import { invoke, nextTick } from "./loop/ticks.ts";
import { type AddressInfo, decodeAddress, familyOf, inetAddress, nameOf } from "./net/address.ts";

const SOCK_DGRAM = 2;
const SOCK_FLAGS = 0o2004000; // SOCK_CLOEXEC | SOCK_NONBLOCK
const LONGEST = 65_536;
const ADDRESS_BYTES = 128;
/** A sender that never stops does not keep others from their turn. */
const MESSAGES_A_TURN = 32;
const [EAGAIN] = ERRORS.EAGAIN;

type Type = "udp4" | "udp6";
type Sent = (error: Error | null, bytes?: number) => void;

/** A socket of UDP. What has no room to be sent is lost, as the network may lose it. */
export class Socket extends EventEmitter {
  readonly type: Type;
  #watch: Watch | undefined;
  #isReferenced = true;
  #isBound = false;

  constructor(type: Type) {
    super();
    this.type = type;
  }

  bind(port = 0, address: string = this.#anyAddress, listener?: () => void): this {
    if (listener !== undefined) this.once("listening", listener);
    try {
      const name = inetAddress(address, port);
      const result = tryLibc("bind", this.#open(familyOf(name)).fd, name, name.length);
      if (result < 0) {
        const error = systemError(-result, "bind", { address, port });
        throw error;
      }
      this.#isBound = true;
      nextTick(() => this.emit("listening"));
    } catch (error) {
      nextTick(() => this.emit("error", error));
    }
    return this;
  }

  send(message: Uint8Array | string, port: number, address = "127.0.0.1", sent?: Sent): void {
    const bytes = typeof message === "string" ? Buffer.from(message) : message;
    try {
      const name = inetAddress(address, port);
      const { fd } = this.#open(familyOf(name));
      const result = tryLibc("sendto", fd, bytes, bytes.length, 0, name, name.length);
      if (!this.#isBound) this.#watch?.want(READABLE);
      if (result >= 0) {
        if (sent !== undefined) nextTick(sent, null, result);
        return;
      }
      throw systemError(-result, "send", { address, port });
    } catch (error) {
      if (sent === undefined) nextTick(() => this.emit("error", error));
      else nextTick(sent, error as Error);
    }
  }

  address(): AddressInfo {
    const name = this.#watch === undefined ? undefined : nameOf("getsockname", this.#watch.fd);
    if (typeof name === "object") return name;
    throw nodeError("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running");
  }

  close(done?: () => void): this {
    if (this.#watch === undefined) throw nodeError("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running");
    if (done !== undefined) this.once("close", done);
    const { fd } = this.#watch;
    this.#watch.close();
    this.#watch = undefined;
    tryLibc("close", fd);
    afterTurn(() => this.emit("close"));
    return this;
  }

  ref(): this {
    return this.#reference(true);
  }

  unref(): this {
    return this.#reference(false);
  }

  #reference(isReferenced: boolean): this {
    this.#isReferenced = isReferenced;
    this.#watch?.reference(isReferenced);
    return this;
  }

  get #anyAddress(): string {
    return this.type === "udp4" ? "0.0.0.0" : "::";
  }

  #open(family: number): Watch {
    if (this.#watch !== undefined) return this.#watch;
    const fd = succeed(tryLibc("socket", family, SOCK_DGRAM | SOCK_FLAGS, 0), "socket");
    this.#watch = new Watch(fd, () => {
      this.#receive(fd);
    });
    this.#watch.reference(this.#isReferenced);
    this.#watch.want(READABLE);
    return this.#watch;
  }

  #receive(fd: number): void {
    for (let turn = 0; turn < MESSAGES_A_TURN && this.#watch !== undefined; turn++) {
      const bytes = Buffer.allocUnsafe(LONGEST);
      const name = Buffer.alloc(ADDRESS_BYTES);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(name.length);
      const count = tryLibc("recvfrom", fd, bytes, bytes.length, 0, name, length);
      if (count === -EAGAIN) return;
      if (count < 0) {
        this.emit("error", systemError(-count, "recvmsg"));
        return;
      }
      const from = decodeAddress(name.subarray(0, length.readUInt32LE()));
      if (typeof from !== "object") continue;
      invoke(() => {
        this.emit("message", Buffer.from(bytes.subarray(0, count)), { ...from, size: count });
      });
    }
  }
}

export function createSocket(
  options: Type | { readonly type: Type },
  onMessage?: (...args: never[]) => unknown,
): Socket {
  const socket = new Socket(typeof options === "string" ? options : options.type);
  if (onMessage !== undefined) socket.on("message", onMessage);
  return socket;
}
