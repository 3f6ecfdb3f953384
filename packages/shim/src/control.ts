import { Socket } from "node:net";

/**
 * The pipe to the runtime that started this shim. The shim is started early, so that its code loads while the VM boots;
 * the runtime then names the agent (one line), and learns that the shim has taken over (`ready`). When the runtime dies
 * before that, the pipe ends.
 */
export class ControlPipe {
  readonly #socket: Socket;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#socket.on("error", () => undefined);
  }

  /** The agent's URL; undefined when the runtime went away instead. */
  async agentUrl(): Promise<string | undefined> {
    let text = "";
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      const end = text.indexOf("\n");
      if (end !== -1) return text.slice(0, end);
    }
    return undefined;
  }

  ready(): void {
    this.#socket.end("ready\n");
  }

  failed(reason: string): void {
    this.#socket.end(`failed ${reason.replaceAll("\n", " ")}\n`);
  }
}
