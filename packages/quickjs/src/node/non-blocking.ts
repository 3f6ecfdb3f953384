import { libc } from "./libc.ts";

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 2048;

/** Has a descriptor that another made never wait: while it waited for one, this process would do nothing else. */
export function makeNonBlocking(fd: number): void {
  const flags = libc("fcntl", fd, F_GETFL, 0);
  if ((flags & O_NONBLOCK) === 0) libc("fcntl", fd, F_SETFL, flags | O_NONBLOCK);
}
