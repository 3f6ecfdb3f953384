import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { StarterPipe } from "./control.ts";
import type { StartOutcome } from "./vm-spec.ts";

const REFUSAL: StartOutcome = { ok: false, code: "KATA_STATE", message: "the VM belongs to another process" };

/**
 * Where a VM that may outlive its starter is taken over. It belongs to one process at a time, and at first to its starter: who
 * connects while it belongs to none gets it, all others are refused.
 */
export class OwnerDoor {
  readonly #server: Server;
  #waiting: ((owner: StarterPipe) => void) | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#admit(socket);
    });
  }

  /** Listens, also when this process has lost sight of the socket's directory. */
  static async open(path: string): Promise<OwnerDoor> {
    const server = createServer({ pauseOnConnect: true });
    server.listen(path);
    await once(server, "listening");
    return new OwnerDoor(server);
  }

  /** From now on the VM belongs to no process. @returns the one that it belongs to next, which knows so */
  next(): Promise<StarterPipe> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  close(): void {
    this.#server.close();
  }

  #admit(socket: Socket): void {
    const admit = this.#waiting;
    if (admit === undefined) {
      socket.on("error", () => undefined).end(`${JSON.stringify(REFUSAL)}\n`);
      socket.resume();
      return;
    }
    this.#waiting = undefined;
    const owner = new StarterPipe(socket);
    owner.tell({ ok: true });
    admit(owner);
  }
}
