import type { Socket } from "node:net";

/**
 * A guest that boots answers late. To leave sooner and to come back would be worse: vhost-device-vsock 0.3 panics where the
 * connection is gone when the guest accepts it.
 */
const ANSWER_DEADLINE_MS = 60_000;
/** `OK` and a port number. */
const MAX_ANSWER_BYTES = 32;
const LINE_FEED = 0x0a;

/**
 * Asks a device in user space for a port of its guest, over a connection with it. It answers once the guest has accepted, and
 * ends the connection where the guest does not listen.
 */
export async function askForPort(socket: Socket, path: string, port: number): Promise<Socket> {
  const timer = setTimeout(
    () => socket.destroy(new Error(`${path}: no answer for port ${String(port)}`)),
    ANSWER_DEADLINE_MS,
  );
  try {
    socket.write(`CONNECT ${String(port)}\n`);
    const answer = await readLine(socket);
    if (!answer.startsWith("OK ")) throw new Error(`${path}: nothing listens at port ${String(port)} of the guest`);
    return socket;
  } catch (error) {
    socket.on("error", () => undefined);
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Up to the line feed, which is left out; what follows stays in the stream. */
function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      socket.off("readable", onReadable).off("end", onEnd).off("error", reject);
      outcome();
    };
    const onEnd = (): void => {
      settle(() => {
        resolve("");
      });
    };
    const onReadable = (): void => {
      const head = socket.read() as Buffer | null;
      if (head === null) return;
      const end = head.indexOf(LINE_FEED);
      if (end !== -1 || head.length > MAX_ANSWER_BYTES) {
        settle(() => {
          resolve(head.toString("latin1", 0, Math.max(end, 0)));
        });
        if (end !== -1 && end + 1 < head.length) socket.unshift(head.subarray(end + 1));
      } else socket.unshift(head);
    };
    socket.on("readable", onReadable).once("end", onEnd).once("error", reject);
  });
}
