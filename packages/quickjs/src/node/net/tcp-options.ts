import { setOption } from "./address.ts";

const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SOL_SOCKET = 1;
const SO_KEEPALIVE = 9;

/** What a socket cannot have, such as one of AF_UNIX, it goes without, as on Node. */
export function setNoDelay(fd: number, enabled: boolean): void {
  setOption(fd, IPPROTO_TCP, TCP_NODELAY, enabled ? 1 : 0);
}

export function setKeepAlive(fd: number, enabled: boolean): void {
  setOption(fd, SOL_SOCKET, SO_KEEPALIVE, enabled ? 1 : 0);
}
