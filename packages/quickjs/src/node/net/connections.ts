import { nextTick } from "../loop/ticks.ts";
import { connectArguments } from "./connect-arguments.ts";
import { Socket } from "./socket.ts";
import type { SocketOptions } from "./socket-options.ts";

export function connect(...args: unknown[]): Socket {
  const { options } = connectArguments(args);
  return new Socket(options as SocketOptions).connect(...args);
}

/** A connection begins to be read one tick later: its server's listeners come first. */
export function adopt(fd: number, options: SocketOptions, paused: boolean): Socket {
  const socket = new Socket({ ...options, fd, readable: true, writable: true, manualStart: true });
  if (paused) socket.pause();
  else
    nextTick(() => {
      if (!socket.destroyed && !socket.isPaused()) socket.read(0);
    });
  return socket;
}
