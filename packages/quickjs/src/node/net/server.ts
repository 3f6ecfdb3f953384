import { ERRORS } from "../errno.ts";
import { nodeError, systemError } from "../errors.ts";
import { EventEmitter } from "../events.ts";
import { succeed, tryLibc } from "../libc.ts";
import { READABLE, Watch } from "../loop/poll.ts";
import { nextTick } from "../loop/ticks.ts";
import { makeNonBlocking } from "../non-blocking.ts";
import { refuseOthers } from "../supported-options.ts";
import { type AddressInfo, AF_UNIX, familyOf, inetAddress, nameOf, setOption, unixAddress } from "./address.ts";
import { adopt } from "./connections.ts";
import type { Socket } from "./socket.ts";
import type { SocketOptions } from "./socket-options.ts";
import { keepSpareDescriptor, refusedForWant } from "./spare-descriptor.ts";

const SOCK_STREAM = 1;
const SOCK_FLAGS = 0o2004000; // SOCK_CLOEXEC | SOCK_NONBLOCK
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const BACKLOG = 511;
const [EAGAIN] = ERRORS.EAGAIN;
/** They are a connection's, and not the server's: the next one may be good. */
const PASSING: readonly number[] = [-ERRORS.ECONNABORTED[0], -ERRORS.EPROTO[0]];

interface ServerOptions extends SocketOptions {
  readonly pauseOnConnect?: boolean;
}

interface ListenOptions {
  readonly path?: string;
  readonly port?: number;
  readonly host?: string;
  readonly fd?: number;
  readonly backlog?: number;
}

export class Server extends EventEmitter {
  readonly #options: ServerOptions;
  readonly #connections: Set<Socket> = new Set();
  #watch: Watch | undefined;
  #path: string | undefined;
  #isReferenced = true;
  #isClosing = false;
  /** Connections beyond it are closed at once. */
  maxConnections: number | undefined;

  constructor(options: ServerOptions = {}, onConnection?: (socket: Socket) => void) {
    super();
    this.#options = options;
    if (onConnection !== undefined) this.on("connection", onConnection);
  }

  get listening(): boolean {
    return this.#watch !== undefined;
  }

  get _handle(): { readonly fd: number } | null {
    return this.#watch ?? null;
  }

  listen(...args: unknown[]): this {
    const { options, listener } = listenArguments(args);
    // There is one process here, so that it has what it listens to for itself.
    refuseOthers("listen", options, ["path", "port", "host", "fd", "backlog", "exclusive"]);
    if (this.listening) throw nodeError("ERR_SERVER_ALREADY_LISTEN", "Listen method has been called more than once");
    if (listener !== undefined) this.once("listening", listener);
    this.#isClosing = false;
    try {
      keepSpareDescriptor();
      const fd = this.#open(options);
      this.#watch = new Watch(fd, () => {
        this.#accept(fd);
      });
      this.#watch.reference(this.#isReferenced);
      this.#watch.want(READABLE);
      nextTick(() => {
        if (this.listening) this.emit("listening");
      });
    } catch (error) {
      nextTick(() => {
        this.emit("error", error);
      });
    }
    return this;
  }

  close(done?: (error?: Error) => void): this {
    if (this.#watch === undefined) {
      const error = nodeError("ERR_SERVER_NOT_RUNNING", "Server is not running.");
      if (done !== undefined) nextTick(done, error);
      return this;
    }
    if (done !== undefined) this.once("close", done);
    const { fd } = this.#watch;
    this.#watch.close();
    this.#watch = undefined;
    tryLibc("close", fd);
    if (this.#path !== undefined) tryLibc("unlink", this.#path);
    this.#isClosing = true;
    this.#endWhenAlone();
    return this;
  }

  address(): AddressInfo | string | null {
    return this.#path ?? (this.#watch === undefined ? null : (nameOf("getsockname", this.#watch.fd) ?? null));
  }

  getConnections(done: (error: Error | null, count: number) => void): this {
    nextTick(done, null, this.#connections.size);
    return this;
  }

  ref(): this {
    this.#isReferenced = true;
    this.#watch?.reference(true);
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    this.#watch?.reference(false);
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve, reject) => {
      this.close((error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  #open({ fd: given, path, port = 0, host = "0.0.0.0", backlog = BACKLOG }: ListenOptions): number {
    const name = path === undefined ? { address: host, port } : { address: path };
    if (given !== undefined) {
      makeNonBlocking(given);
      succeed(tryLibc("listen", given, backlog), "listen");
      return given;
    }
    const address = path === undefined ? inetAddress(host, port) : unixAddress(path);
    const fd = succeed(tryLibc("socket", familyOf(address), SOCK_STREAM | SOCK_FLAGS, 0), "socket");
    if (familyOf(address) !== AF_UNIX) setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    const result = Math.min(tryLibc("bind", fd, address, address.length), 0) || tryLibc("listen", fd, backlog);
    if (result < 0) {
      tryLibc("close", fd);
      const error = systemError(-result, "listen", name);
      throw Object.assign(error, { message: error.message.replace(/^listen (\w+) /, "listen $1: $1 ") });
    }
    this.#path = path;
    return fd;
  }

  /** One a turn: who connects over and over does not keep the others from theirs. */
  #accept(listening: number): void {
    const accept = (): number => tryLibc("accept4", listening, null, null, SOCK_FLAGS);
    const fd = accept();
    if (fd === -EAGAIN || PASSING.includes(fd) || refusedForWant(fd, accept)) return;
    if (fd < 0) {
      this.emit("error", systemError(-fd, "accept"));
      return;
    }
    if (this.#connections.size >= (this.maxConnections ?? Infinity)) {
      tryLibc("close", fd);
      return;
    }
    const socket = adopt(fd, this.#options, this.#options.pauseOnConnect === true);
    this.#connections.add(socket);
    socket.once("close", () => {
      this.#connections.delete(socket);
      this.#endWhenAlone();
    });
    this.emit("connection", socket);
  }

  #endWhenAlone(): void {
    if (!this.#isClosing || this.#connections.size > 0) return;
    this.#isClosing = false;
    nextTick(() => {
      this.emit("close");
    });
  }
}

/** Options, a path, or a port with a host and a backlog; a listener may follow. */
function listenArguments(args: readonly unknown[]): { options: ListenOptions; listener?: () => void } {
  const last = args.at(-1);
  const listener = typeof last === "function" ? { listener: last as () => void } : {};
  const [first, host] = args;
  if (typeof first === "object" && first !== null) return { options: first, ...listener };
  if (typeof first === "string" && !/^\d+$/.test(first)) return { options: { path: first }, ...listener };
  const at = typeof host === "string" ? { host } : {};
  return { options: { port: Number(first ?? 0) || 0, ...at }, ...listener };
}

export function createServer(...args: unknown[]): Server {
  const options = args.find((arg) => typeof arg === "object" && arg !== null) as ServerOptions | undefined;
  return new Server(options, args.find((arg) => typeof arg === "function") as never);
}
