import { closeSync, constants } from "node:fs";
import { createServer, type Server, Socket, type SocketConstructorOpts } from "node:net";
import { call } from "./native.ts";
import { listeningUnix, socketPair } from "./sockets.ts";

export interface PollableOptions {
  readonly readable: boolean;
  readonly writable: boolean;
  /** Do not read before resume() is called. */
  readonly manualStart?: boolean;
  /** Reads into these instead of buffers of its own; see net.Socket's `onread`. */
  readonly onread?: SocketConstructorOpts["onread"];
}

const FCNTL = "int fcntl(int fd, int command, int argument)";
const DUP3 = "int dup3(int from, int to, int flags)";
const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const O_CLOEXEC = 0o2000000;

/**
 * A stream over a descriptor that can be polled: pipes, and also what net.Socket refuses when it is given its number
 * (terminals, virtio-serial ports, netlink and vsock sockets). The descriptor is made non-blocking and close-on-exec, and
 * closed with the stream.
 */
export function openPollable(fd: number, options: PollableOptions): Socket {
  makeNonBlocking(fd);
  const [unix, other] = socketPair();
  try {
    return withStandIn(fd, unix, () => new Socket({ ...options, fd, allowHalfOpen: true }));
  } finally {
    closeSync(other);
  }
}

/**
 * A server over a listening socket that net.Server refuses when it is given its number: one of vsock. Its connections are
 * half-open. The descriptor is made non-blocking and close-on-exec, and closed with the server.
 */
export function serveDescriptor(fd: number, onConnection: (socket: Socket) => void): Server {
  makeNonBlocking(fd);
  const server = createServer({ allowHalfOpen: true }, onConnection);
  withStandIn(fd, listeningUnix(), () => server.listen({ fd }));
  return server;
}

function makeNonBlocking(fd: number): void {
  const flags = call(FCNTL, `F_GETFL ${String(fd)}`, fd, F_GETFL, 0);
  call(FCNTL, `F_SETFL ${String(fd)}`, fd, F_SETFL, flags | constants.O_NONBLOCK);
}

/**
 * Node looks at a descriptor only when it makes a handle of it: while it does, a unix socket has the number.
 *
 * @param standIn is closed
 */
function withStandIn<T>(fd: number, standIn: number, makeHandle: () => T): T {
  try {
    const given = call(FCNTL, `F_DUPFD_CLOEXEC ${String(fd)}`, fd, F_DUPFD_CLOEXEC, 0);
    try {
      call(DUP3, String(fd), standIn, fd, O_CLOEXEC);
      try {
        return makeHandle();
      } finally {
        call(DUP3, String(fd), given, fd, O_CLOEXEC);
      }
    } finally {
      closeSync(given);
    }
  } finally {
    closeSync(standIn);
  }
}
