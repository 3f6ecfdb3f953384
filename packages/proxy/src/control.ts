import { Socket } from "node:net";
import type { VmPids } from "./vm-spec.ts";

/** What the proxy tells its starter, as one JSON line. */
export type StartOutcome =
  | { readonly ok: true; readonly pids: VmPids }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** What the starter writes when the sandbox is complete; without it the end of the starter is the end of the VM. */
export const COMMIT = "commit\n";

/** The proxy's side of the pipe to its starter. */
export class ControlPipe {
  readonly #socket: Socket;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#socket.on("error", () => undefined);
  }

  tell(outcome: StartOutcome): void {
    this.#socket.write(`${JSON.stringify(outcome)}\n`);
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
