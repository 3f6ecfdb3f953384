import { Socket } from "node:net";

/** The process that a shim stands in for, as the runtime names it. */
export interface Target {
  /** The agent's URL. */
  readonly agent: string;
  /** What opens the process's stream; absent when the agent has no such streams. */
  readonly token?: Uint8Array;
}

/** One line over the control pipe: the agent's URL, and the token in hex. */
export function encodeTarget({ agent, token }: Target): string {
  return token === undefined ? `${agent}\n` : `${agent} ${Buffer.from(token).toString("hex")}\n`;
}

function decodeTarget(line: string): Target {
  const [agent = "", token] = line.split(" ");
  return token === undefined ? { agent } : { agent, token: Buffer.from(token, "hex") };
}

/**
 * The pipe to the runtime that started this shim. The shim is started early, so that its code loads while the VM boots;
 * the runtime then names the process (one line), and learns that the shim has taken over (`ready`). When the runtime
 * dies before that, the pipe ends.
 */
export class ControlPipe {
  readonly #socket: Socket;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#socket.on("error", () => undefined);
  }

  /** Undefined when the runtime went away instead. */
  async target(): Promise<Target | undefined> {
    let text = "";
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      const end = text.indexOf("\n");
      if (end !== -1) return decodeTarget(text.slice(0, end));
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
