import { Socket, type SocketConstructorOpts } from "node:net";

interface PipeHandle {
  open(fd: number): number;
}

interface PipeBinding {
  readonly Pipe: new (type: number) => PipeHandle;
  readonly constants: { readonly SOCKET: number };
}

export interface PollableOptions {
  readonly readable: boolean;
  readonly writable: boolean;
  /** Do not read before resume() is called. */
  readonly manualStart?: boolean;
  /** Reads into these instead of buffers of its own; see net.Socket's `onread`. */
  readonly onread?: SocketConstructorOpts["onread"];
}

/**
 * A stream over a descriptor that can be polled: pipes, and also character devices, which net.Socket refuses when it is
 * given their number (terminals, virtio-serial ports). Libuv's pipe handle polls them all. The descriptor is made
 * non-blocking, and closed with the stream.
 */
export function openPollable(fd: number, options: PollableOptions): Socket {
  const binding = (process as unknown as { binding(name: string): PipeBinding }).binding("pipe_wrap");
  const handle = new binding.Pipe(binding.constants.SOCKET);
  const failure = handle.open(fd);
  if (failure < 0) throw new Error(`descriptor ${String(fd)} cannot be polled (${String(failure)})`);
  return new Socket({ ...options, handle, allowHalfOpen: true } as unknown as SocketConstructorOpts);
}
