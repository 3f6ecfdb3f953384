import { once } from "node:events";
import { createServer, Socket } from "node:net";
import type { VmPids, VmSurroundings } from "./vm-spec.ts";

/** What the proxy tells its starter, as one JSON line. */
export type StartOutcome =
  | { readonly ok: true; readonly pids: VmPids }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** What the starter writes when the sandbox is complete; without it the end of the starter is the end of the VM. */
export const COMMIT = "commit\n";

/** The proxy's side of the pipe to its starter, or to who takes its VM. */
export class ControlPipe {
  readonly #socket: Socket;

  constructor(socket: Socket | number) {
    this.#socket = typeof socket === "number" ? new Socket({ fd: socket, readable: true, writable: true }) : socket;
    this.#socket.on("error", () => undefined);
  }

  /** Waits for the first to connect there, and then listens no more: the socket is gone when this resolves. */
  static async accept(path: string): Promise<ControlPipe> {
    const server = createServer({ pauseOnConnect: true });
    server.maxConnections = 1;
    server.listen(path);
    const [socket] = (await once(server, "connection")) as [Socket];
    server.close();
    return new ControlPipe(socket);
  }

  /** What the taker says first, as one JSON line; undefined when it goes away before that. */
  async surroundings(): Promise<VmSurroundings | undefined> {
    let text = "";
    try {
      for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
        text += String(chunk);
        if (text.endsWith("\n")) return JSON.parse(text) as VmSurroundings;
      }
    } catch {
      // As if it had gone.
    }
    return undefined;
  }

  tell(outcome: StartOutcome): void {
    this.#socket.write(`${JSON.stringify(outcome)}\n`);
  }

  tellFailure(error: unknown): void {
    const { code = "KATA_PROXY", message } = error as Error & { code?: string };
    this.tell({ ok: false, code, message });
  }

  /** True once the starter commits, false when it goes away before that. */
  async committed(): Promise<boolean> {
    let text = "";
    try {
      for await (const chunk of this.#socket) {
        text += String(chunk);
        if (text.includes(COMMIT)) break;
      }
    } catch {
      // A starter that was killed before it was told the outcome shows as an error of the pipe, not as its end.
    }
    this.#socket.destroy();
    return text.includes(COMMIT);
  }
}
