import { ERRORS } from "../errno.ts";
import { systemError } from "../errors.ts";
import { succeed, tryLibc } from "../libc.ts";
import { Watch, WRITABLE } from "../loop/poll.ts";
import { nextTick } from "../loop/ticks.ts";
import { AF_UNIX, familyOf, inetAddress, pendingError, unixAddress } from "./address.ts";

const SOCK_STREAM = 1;
const SOCK_FLAGS = 0o2004000; // SOCK_CLOEXEC | SOCK_NONBLOCK
const [EINPROGRESS] = ERRORS.EINPROGRESS;

export interface ConnectOptions {
  readonly path?: string;
  readonly port?: number | string;
  readonly host?: string;
}

/** A connection that is being made. */
export interface Connecting {
  /** Neither function is called any more, and the descriptor is closed. */
  cancel(): void;
  reference(isReferenced: boolean): void;
}

/** Each function is called later, one of them, once. */
export function startConnecting(
  options: ConnectOptions,
  onConnected: (fd: number) => void,
  onError: (error: Error) => void,
): Connecting {
  const target = targetOf(options);
  let fd = -1;
  let watch: Watch | undefined;
  let isOver = false;
  const finish = (errno: number): void => {
    if (isOver) return;
    isOver = true;
    watch?.close();
    if (errno === 0) {
      onConnected(fd);
      return;
    }
    tryLibc("close", fd);
    onError(systemError(errno, "connect", target));
  };
  nextTick(() => {
    if (isOver) return;
    try {
      const address =
        target.port === undefined ? unixAddress(target.address) : inetAddress(target.address, target.port);
      fd = succeed(tryLibc("socket", familyOf(address), SOCK_STREAM | SOCK_FLAGS, 0), "socket");
      const result = tryLibc("connect", fd, address, address.length);
      if (result !== -EINPROGRESS || familyOf(address) === AF_UNIX) {
        nextTick(finish, -Math.min(result, 0));
        return;
      }
      watch = new Watch(fd, () => {
        finish(pendingError(fd));
      });
      watch.want(WRITABLE);
    } catch (error) {
      isOver = true;
      onError(error as Error);
    }
  });
  return {
    cancel: () => {
      if (isOver) return;
      isOver = true;
      watch?.close();
      if (fd >= 0) tryLibc("close", fd);
    },
    reference: (isReferenced) => watch?.reference(isReferenced),
  };
}

function targetOf({ path, port, host = "localhost" }: ConnectOptions): { address: string; port?: number } {
  return path === undefined
    ? { address: host === "localhost" ? "127.0.0.1" : host, port: Number(port) }
    : { address: path };
}
