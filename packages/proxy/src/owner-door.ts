import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { StarterPipe } from "./control.ts";
import type { StartOutcome } from "./vm-spec.ts";

const REFUSAL: StartOutcome = { ok: false, code: "KATA_STATE", message: "the VM belongs to another process" };

/**
 * Where a VM that may outlive its starter is taken over. It belongs to one process at a time, and at first to its starter: who
 * connects while it belongs to none is offered it, and has it once it says so; all others are refused.
 */
export class OwnerDoor {
  readonly #server: Server;
  #waiting: ((owner: StarterPipe) => void) | undefined;
  /** One is answered after the other: who comes while it is offered to another may get it yet. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      this.#turn = this.#turn.then(() => this.#admit(socket));
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

  async #admit(socket: Socket): Promise<void> {
    const admit = this.#waiting;
    if (admit === undefined) {
      socket.end(`${JSON.stringify(REFUSAL)}\n`);
      socket.resume();
      return;
    }
    const owner = new StarterPipe(socket);
    owner.tell({ ok: true });
    // It may have given up, or been killed, before its turn came: then it has never had the VM.
    if (!(await owner.takes())) return;
    this.#waiting = undefined;
    admit(owner);
  }
}
