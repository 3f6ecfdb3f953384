import { Buffer } from "./buffer.ts";
import { ERRORS } from "./errno.ts";
import { nodeError, systemError } from "./errors.ts";
import { EventEmitter } from "./events.ts";
import { succeed, tryLibc } from "./libc.ts";
import { afterTurn } from "./loop/loop.ts";
import { READABLE, Watch } from "./loop/poll.ts";
import { invoke, nextTick } from "./loop/ticks.ts";
import { type AddressInfo, decodeAddress, familyOf, inetAddress, nameOf } from "./net/address.ts";
import { makeNonBlocking } from "./non-blocking.ts";
import { refuseOthers } from "./supported-options.ts";

const SOCK_DGRAM = 2;
const SOCK_FLAGS = 0o2004000; // SOCK_CLOEXEC | SOCK_NONBLOCK
const LONGEST = 65_536;
const ADDRESS_BYTES = 128;
/** A sender that never stops does not keep others from their turn. */
const MESSAGES_A_TURN = 32;
const [EAGAIN] = ERRORS.EAGAIN;

type Type = "udp4" | "udp6";
interface Place {
  readonly port: number;
  readonly address: string;
}
type Sent = (error: Error | null, bytes?: number) => void;

/** A socket of UDP. What has no room to be sent is lost, as the network may lose it. */
export class Socket extends EventEmitter {
  readonly type: Type;
  #watch: Watch | undefined;
  #isReferenced = true;
  #isBound = false;
  #isConnected = false;
  #isClosed = false;

  constructor(type: Type) {
    super();
    this.type = type;
  }

  /** To a port and an address of this machine, or to a socket that there is already. */
  bind(...args: readonly unknown[]): this {
    const { fd, port, address = this.#anyAddress, listener } = bindArguments(args);
    if (this.#isBound) throw nodeError("ERR_SOCKET_ALREADY_BOUND", "Socket is already bound");
    if (listener !== undefined) this.once("listening", listener);
    if (fd !== undefined) {
      makeNonBlocking(fd);
      this.#isBound = true;
      this.#watchOf(fd);
      nextTick(() => this.emit("listening"));
      return this;
    }
    try {
      const name = inetAddress(address, port);
      const result = tryLibc("bind", this.#open(familyOf(name)).fd, name, name.length);
      if (result < 0) {
        throw systemError(-result, "bind", { address, port });
      }
      this.#isBound = true;
      nextTick(() => this.emit("listening"));
    } catch (error) {
      nextTick(() => this.emit("error", error));
    }
    return this;
  }

  /** From now on messages go there, and come from there alone. */
  connect(port: number, address = "127.0.0.1", listener?: () => void): void {
    if (this.#isConnected) throw nodeError("ERR_SOCKET_DGRAM_IS_CONNECTED", "Already connected");
    if (listener !== undefined) this.once("connect", listener);
    try {
      const name = inetAddress(address, port);
      const result = tryLibc("connect", this.#open(familyOf(name)).fd, name, name.length);
      if (result < 0) throw systemError(-result, "connect", { address, port });
      this.#isConnected = true;
      nextTick(() => this.emit("connect"));
    } catch (error) {
      nextTick(() => this.emit("error", error));
    }
  }

  /** A port and an address belong to a socket that is not connected, and to no other. */
  send(message: Uint8Array | string, ...rest: readonly (number | string | Sent | undefined)[]): void {
    const [port, address] = rest.filter((part) => typeof part === "number" || typeof part === "string");
    const sent = rest.find((part) => typeof part === "function");
    if (this.#isConnected) {
      if (port !== undefined) throw nodeError("ERR_SOCKET_DGRAM_IS_CONNECTED", "Already connected");
      this.#send(message, undefined, sent);
    } else if (typeof port === "number") {
      this.#send(message, { port, address: String(address ?? "127.0.0.1") }, sent);
    } else {
      throw nodeError("ERR_SOCKET_BAD_PORT", `Port should be > 0 and < 65536. Received ${String(port)}.`, RangeError);
    }
  }

  #send(message: Uint8Array | string, to: Place | undefined, sent: Sent | undefined): void {
    const bytes = typeof message === "string" ? Buffer.from(message) : message;
    const { address, port } = to ?? {};
    try {
      const name = to === undefined ? null : inetAddress(to.address, to.port);
      const { fd } = name === null ? this.#opened : this.#open(familyOf(name));
      const result = tryLibc("sendto", fd, bytes, bytes.length, 0, name, name?.length ?? 0);
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

  get #opened(): Watch {
    if (this.#watch === undefined) throw nodeError("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running");
    return this.#watch;
  }

  address(): AddressInfo {
    const name = this.#watch === undefined ? undefined : nameOf("getsockname", this.#watch.fd);
    if (typeof name === "object") return name;
    throw nodeError("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running");
  }

  close(done?: () => void): this {
    if (this.#isClosed) throw nodeError("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running");
    this.#isClosed = true;
    if (done !== undefined) this.once("close", done);
    const watch = this.#watch;
    this.#watch = undefined;
    // Without one it has not come to be bound or connected.
    if (watch !== undefined) {
      watch.close();
      tryLibc("close", watch.fd);
    }
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
    if (this.#isClosed) throw nodeError("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running");
    return this.#watchOf(succeed(tryLibc("socket", family, SOCK_DGRAM | SOCK_FLAGS, 0), "socket"));
  }

  #watchOf(fd: number): Watch {
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

interface Bind {
  readonly fd?: number | undefined;
  readonly port: number;
  readonly address?: string | undefined;
  readonly listener?: (() => void) | undefined;
}

/** A port with an address, or both in an object, or a descriptor in one; a listener may follow. */
function bindArguments(args: readonly unknown[]): Bind {
  const [first, second] = args;
  const last = args.at(-1);
  const listener = typeof last === "function" ? (last as () => void) : undefined;
  const given = typeof first === "object" && first !== null ? (first as Readonly<Record<string, unknown>>) : undefined;
  // There is one process here, so that it has what it binds for itself.
  if (given !== undefined) refuseOthers("bind", given, ["fd", "port", "address", "exclusive"]);
  const { fd, port, address } = given ?? { port: typeof first === "function" ? 0 : first, address: second };
  if (Number.isInteger(fd) && Number(fd) >= 0) return { fd: Number(fd), port: 0, listener };
  return {
    port: portOf(port ?? 0),
    address: typeof address === "string" && address !== "" ? address : undefined,
    listener,
  };
}

function portOf(port: unknown): number {
  const number = typeof port === "string" && port.trim() !== "" ? Number(port) : port;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  throw nodeError("ERR_SOCKET_BAD_PORT", `Port should be >= 0 and < 65536. Received ${String(port)}.`, RangeError);
}

export function createSocket(
  options: Type | { readonly type: Type },
  onMessage?: (...args: never[]) => unknown,
): Socket {
  if (typeof options === "object") refuseOthers("createSocket", options, ["type"]);
  const socket = new Socket(typeof options === "string" ? options : options.type);
  if (onMessage !== undefined) socket.on("message", onMessage);
  return socket;
}
