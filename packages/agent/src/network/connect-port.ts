import { connect } from "node:net";
import type { Duplex } from "node:stream";

/** Connects a stream of the host's to a TCP port of the guest's loopback; without a listener the stream is reset. */
export function connectPort(stream: Duplex, port: number): void {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  socket.on("error", () => stream.destroy());
  stream.once("close", () => socket.destroy());
  socket.once("close", () => stream.destroy());
  stream.pipe(socket).pipe(stream);
}
