import type { Buffer } from "../buffer.ts";
import { nodeError, systemError } from "../errors.ts";
import { afterTurn } from "../loop/loop.ts";
import { clearTimeout, setTimeout, type Timeout } from "../loop/timers.ts";
import { Duplex, type DuplexOptions } from "../stream.ts";
import { refuseOthers } from "../supported-options.ts";
import { type AddressInfo, nameOf } from "./address.ts";
import { connectArguments, TARGET } from "./connect-arguments.ts";
import { type Connecting, startConnecting } from "./connecting.ts";
import { Handle } from "./handle.ts";
import { Incoming } from "./incoming.ts";
import { PendingWrite } from "./pending-write.ts";
import { SOCKET_OPTIONS, type SocketOptions } from "./socket-options.ts";
import { setKeepAlive, setNoDelay } from "./tcp-options.ts";

/** One stream does not keep the others from their turn. */
const READS_A_TURN = 32;

export class Socket extends Duplex {
  connecting = false;
  bytesRead = 0;
  bytesWritten = 0;
  timeout = 0;
  /** The descriptor's; null before there is one, and after it was closed. */
  _handle: Handle | null = null;
  readonly #incoming: Incoming;
  #pending: PendingWrite | undefined;
  #attempt: Connecting | undefined;
  #idle: Timeout | undefined;
  #isReferenced = true;
  readonly #isHalfOpen: boolean;

  constructor(options: SocketOptions = {}) {
    const { fd, onread, allowHalfOpen = false, manualStart = false, pauseOnCreate = false } = options;
    super({
      readable: options.readable ?? fd === undefined,
      writable: options.writable ?? fd === undefined,
      allowHalfOpen: true, // The rest is done here: a stream would end itself before all was read.
      decodeStrings: true,
      emitClose: false,
      autoDestroy: true,
      ...(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    } as DuplexOptions);
    this.#incoming = new Incoming(onread, (chunk) => this.push(chunk));
    this.#isHalfOpen = allowHalfOpen;
    this.once("end", () => {
      if (!this.#isHalfOpen) this.end();
    });
    if (fd === undefined) return;
    this.#open(fd);
    if (pauseOnCreate) this.pause();
    else if (!manualStart && options.readable !== false) this.read(0);
  }

  connect(...args: unknown[]): this {
    const { options, listener } = connectArguments(args);
    refuseOthers("connect", options, [...TARGET, ...SOCKET_OPTIONS]);
    if (listener !== undefined) this.once("connect", listener);
    this.connecting = true;
    this.#attempt = startConnecting(
      options,
      (fd) => {
        this.#connected(fd);
      },
      (error) => {
        this.connecting = false;
        this.#attempt = undefined;
        this.destroy(error);
      },
    );
    this.#attempt.reference(this.#isReferenced);
    return this;
  }

  get pending(): boolean {
    return this._handle === null || this.connecting;
  }

  get readyState(): string {
    if (this.connecting) return "opening";
    if (this.readable && this.writable) return "open";
    if (this.readable) return "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  address(): AddressInfo | Record<string, never> {
    const name = this._handle === null ? undefined : nameOf("getsockname", this._handle.fd);
    return typeof name === "object" ? name : {};
  }

  get localAddress(): string | undefined {
    return this.#side("getsockname")?.address;
  }
  get localPort(): number | undefined {
    return this.#side("getsockname")?.port;
  }
  get remoteAddress(): string | undefined {
    return this.#side("getpeername")?.address;
  }
  get remotePort(): number | undefined {
    return this.#side("getpeername")?.port;
  }
  get remoteFamily(): string | undefined {
    return this.#side("getpeername")?.family;
  }

  setNoDelay(enabled = true): this {
    if (this._handle !== null) setNoDelay(this._handle.fd, enabled);
    else this.once("connect", () => this.setNoDelay(enabled));
    return this;
  }

  setKeepAlive(enabled = false): this {
    if (this._handle !== null) setKeepAlive(this._handle.fd, enabled);
    else this.once("connect", () => this.setKeepAlive(enabled));
    return this;
  }

  setTimeout(milliseconds: number, listener?: () => void): this {
    this.timeout = milliseconds;
    if (listener !== undefined && milliseconds > 0) this.once("timeout", listener);
    this.#restartIdle();
    return this;
  }

  ref(): this {
    return this.#reference(true);
  }

  unref(): this {
    return this.#reference(false);
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  override pause(): this {
    super.pause();
    if (this.#incoming.isBesideStream) this.#stopReading();
    return this;
  }

  override resume(): this {
    super.resume();
    if (this.#incoming.isBesideStream && !this.connecting) this._handle?.wantReadable(true);
    return this;
  }

  override _read(): void {
    if (this.connecting || this._handle === null) {
      this.once("connect", () => {
        this._read();
      });
    } else {
      this._handle.wantReadable(true);
    }
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#writeAll([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#writeAll(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.connecting) {
      this.once("connect", () => {
        this._final(done);
      });
      return;
    }
    const result = this._handle?.shutdown() ?? 0;
    done(result < 0 ? systemError(-result, "shutdown") : null);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.connecting = false;
    this.#attempt?.cancel();
    clearTimeout(this.#idle);
    this.#pending?.abandon(error);
    this.#pending = undefined;
    this._handle?.close();
    this._handle = null;
    afterTurn(() => {
      this.emit("close", error !== null);
    });
    done(error);
  }

  #open(fd: number): void {
    this._handle = new Handle(fd, {
      onReadable: () => {
        this.#readAll();
      },
      onWritable: () => {
        this.#writeMore();
      },
    });
    this._handle.reference(this.#isReferenced);
  }

  /** For a server's connections, and for those that were asked for. */
  #connected(fd: number): void {
    this.connecting = false;
    this.#attempt = undefined;
    this.#open(fd);
    this.#restartIdle();
    this.emit("connect");
    this.emit("ready");
    if (this.readable && !this.isPaused()) this.read(0);
  }

  #readAll(): void {
    this.#restartIdle();
    for (let turn = 0; turn < READS_A_TURN && this._handle?.isReading === true; turn++) {
      const buffer = this.#incoming.buffer();
      const count = this._handle.read(buffer);
      if (count === undefined) return;
      if (count < 0) {
        this.destroy(systemError(-count, "read"));
        return;
      }
      if (count === 0) {
        this._handle.wantReadable(false);
        this.push(null);
        if (this.readableLength === 0) this.read(0);
        return;
      }
      this.bytesRead += count;
      if (!this.#incoming.deliver(buffer, count)) this.#stopReading();
      if (count < buffer.length) return;
    }
  }

  // What is delivered may have closed it.
  #stopReading(): void {
    this._handle?.wantReadable(false);
  }

  #writeAll(chunks: readonly Buffer[], done: (error?: Error | null) => void): void {
    this.#restartIdle();
    if (this.connecting) {
      this.once("connect", () => {
        this.#writeAll(chunks, done);
      });
      return;
    }
    if (this._handle === null) {
      done(nodeError("ERR_SOCKET_CLOSED", "Socket is closed"));
      return;
    }
    this.#pending = new PendingWrite(chunks, done);
    this.#writeMore();
  }

  #writeMore(): void {
    const { _handle: handle } = this;
    const pending = this.#pending;
    if (handle === null || pending === undefined) return;
    const result = pending.writeTo(handle);
    this.bytesWritten += pending.takeWritten();
    handle.wantWritable(result === undefined);
    if (result === undefined) return;
    this.#pending = undefined;
    pending.done(result === 0 ? null : systemError(-result, "write"));
  }

  #side(call: "getsockname" | "getpeername"): AddressInfo | undefined {
    const name = this._handle === null ? undefined : nameOf(call, this._handle.fd);
    return typeof name === "object" ? name : undefined;
  }

  #reference(isReferenced: boolean): this {
    this.#isReferenced = isReferenced;
    this._handle?.reference(isReferenced);
    this.#attempt?.reference(isReferenced);
    return this;
  }

  #restartIdle(): void {
    clearTimeout(this.#idle);
    if (this.timeout <= 0 || this.destroyed) return;
    this.#idle = setTimeout(() => this.emit("timeout"), this.timeout).unref();
  }
}
