import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { parseShape } from "@kata-ts/linux/shape";
import type { StartOutcome, VmSurroundings } from "./vm-spec.ts";
import { vmSurroundings } from "./vm-spec-shape.ts";

/** What the starter writes when the sandbox is complete; without it the end of the starter is the end of the VM. */
export const COMMIT = "commit\n";

/** What a process writes that was offered a VM: it is there, and the VM is its own from then on. */
export const TAKE = "take\n";

/** The proxy's side of the pipe to its starter, or to the taker of its VM. */
export class StarterPipe {
  readonly #socket: Socket;
  /** What it has said so far, but for its surroundings. */
  #heard = "";

  constructor(socket: Socket | number) {
    this.#socket = typeof socket === "number" ? new Socket({ fd: socket, readable: true, writable: true }) : socket;
    this.#socket.on("error", () => undefined);
  }

  /** Waits for the first to connect there, and then listens no more: the socket is gone when this resolves. */
  static async accept(path: string): Promise<StarterPipe> {
    const server = createServer({ pauseOnConnect: true });
    server.maxConnections = 1;
    server.listen(path);
    const [socket] = (await once(server, "connection")) as [Socket];
    server.close();
    return new StarterPipe(socket);
  }

  /** What the taker sends first, as one JSON line; undefined when it goes away before that, or sends something else. */
  async surroundings(): Promise<VmSurroundings | undefined> {
    let text = "";
    try {
      for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
        text += String(chunk);
        if (text.endsWith("\n")) return parseShape(vmSurroundings, text, "what the taker sent");
      }
    } catch {
      // As if the taker had gone.
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

  /** True once the process takes the VM that it was offered, false when it goes away before that. */
  async takes(): Promise<boolean> {
    const isTaken = await this.#hears(TAKE);
    if (!isTaken) this.#socket.destroy();
    return isTaken;
  }

  /** True once the starter commits, false when it goes away before that. */
  async committed(): Promise<boolean> {
    const isCommitted = await this.#hears(COMMIT);
    this.#socket.destroy();
    return isCommitted;
  }

  async #hears(word: string): Promise<boolean> {
    try {
      if (this.#heard.includes(word)) return true;
      for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
        this.#heard += String(chunk);
        if (this.#heard.includes(word)) break;
      }
    } catch {
      // A starter that was killed before it read the outcome shows as an error of the pipe, not as its end.
    }
    return this.#heard.includes(word);
  }
}
