import { Duplex } from "node:stream";

/**
 * A Duplex that grpc-js can serve: it takes its connections for sockets and sets what only sockets have. None of it has a
 * meaning here.
 */
export abstract class SocketLike extends Duplex {
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
