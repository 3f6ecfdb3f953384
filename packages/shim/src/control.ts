import { once } from "node:events";
import { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** The process that a shim stands in for, as the runtime names it. */
export interface Target {
  /** The agent's URL. */
  readonly agent: string;
  /** What opens the process's stream; absent when the agent has no such streams. */
  readonly token?: Uint8Array | undefined;
}

/** What the runtime still has to do once a shim has taken over takes far less. */
const CALLER_DEADLINE_MS = 10_000;

/** The shim's lines. */
export const SHIM_CONNECTED = "connected";
export const SHIM_READY = "ready";

/** One line over the control pipe: the agent's URL, and the token in hex. */
export function encodeTarget({ agent, token }: Target): string {
  return token === undefined ? `${agent}\n` : `${agent} ${Buffer.from(token).toString("hex")}\n`;
}

function decodeTarget(line: string): Target {
  const [agent = "", token] = line.split(" ");
  return token === undefined ? { agent } : { agent, token: Buffer.from(token, "hex") };
}

/** The answer to `connected`: the user that the shim becomes. @param user undefined: it keeps its own */
export function encodeUser(user: number | undefined): string {
  return `user ${String(user ?? 0)}\n`;
}

/** @throws Error on another line */
function decodeUser(line: string): number | undefined {
  const id = Number(/^user (\d+)$/.exec(line)?.[1]);
  if (!Number.isSafeInteger(id)) throw new Error(`the runtime names no user: ${line}`);
  return id === 0 ? undefined : id;
}

/**
 * The pipe to the runtime that started this shim. The shim is started early, so that its code loads while the VM boots.
 * Then the runtime names the process (a line), the shim connects to it (`connected`), the runtime gives it its place and
 * its user (a line), and the shim has taken over (`ready`). When the runtime dies before that, the pipe ends. A runtime that does not
 * wait for the shim keeps its end until it exits.
 */
export class ControlPipe {
  readonly #socket: Socket;
  #text = "";
  #closed: Promise<unknown> | undefined;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#socket.on("error", () => undefined);
  }

  /** Undefined when the runtime went away instead. */
  async target(): Promise<Target | undefined> {
    const line = await this.#line();
    return line === undefined ? undefined : decodeTarget(line);
  }

  /** Waits for the place that the runtime has for a shim that has connected. @throws Error when the runtime went away */
  async place(): Promise<{ readonly user: number | undefined }> {
    this.#socket.write(`${SHIM_CONNECTED}\n`);
    const line = await this.#line();
    if (line === undefined) throw new Error("the runtime went away");
    return { user: decodeUser(line) };
  }

  ready(): void {
    this.#closed = once(this.#socket, "close");
    this.#socket.end(`${SHIM_READY}\n`);
    this.#socket.resume();
  }

  /**
   * Until the runtime has let go. A child that ends before a runtime that does not wait for it is collected by that runtime all the
   * same, and its status never gets to the engine, which would wait for it forever.
   */
  async released(): Promise<void> {
    await Promise.race([this.#closed, delay(CALLER_DEADLINE_MS)]);
  }

  failed(reason: string): void {
    this.#socket.end(`failed ${reason.replaceAll("\n", " ")}\n`);
  }

  async #line(): Promise<string | undefined> {
    for (let end = this.#text.indexOf("\n"); ; end = this.#text.indexOf("\n")) {
      if (end !== -1) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const chunk = await this.#chunk();
      if (chunk === undefined) return undefined;
      this.#text += chunk;
    }
  }

  async #chunk(): Promise<string | undefined> {
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) return String(chunk);
    return undefined;
  }
}
