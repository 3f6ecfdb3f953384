import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import {
  descriptorOf,
  openPollable,
  openTerminal,
  receiveDescriptor,
  setWindowSize,
  type WindowSize,
} from "@kata-ts/linux";

const DEADLINE_MS = 20_000;

/** A terminal from the side of an engine, or of a person: its master. */
export class Terminal implements Disposable {
  readonly #master: number;
  readonly #stream: Socket;
  #unseen = "";
  #text = "";
  #changed: () => void = () => undefined;
  #closed = false;

  /** @param master a descriptor, to be closed with this */
  constructor(master: number) {
    this.#master = master;
    this.#stream = openPollable(master, { readable: true, writable: true });
    this.#stream.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString();
      this.#unseen += chunk.toString();
      this.#changed();
    });
    this.#stream.on("error", () => undefined); // The last slave is closed.
    this.#stream.on("close", () => {
      this.#closed = true;
      this.#changed();
    });
  }

  /** All that came so far. */
  get text(): string {
    return this.#text;
  }

  type(keys: string): void {
    this.#stream.write(keys);
  }

  resize(size: WindowSize): void {
    setWindowSize(this.#master, size);
  }

  /** Waits for what matches in the output after the last match. */
  async until(pattern: RegExp): Promise<string> {
    const giveUpAt = Date.now() + DEADLINE_MS;
    for (;;) {
      const match = pattern.exec(this.#unseen);
      if (match !== null) {
        this.#unseen = this.#unseen.slice(match.index + match[0].length);
        return match[0];
      }
      if (this.#closed || Date.now() > giveUpAt) {
        throw new Error(`no ${String(pattern)} in ${JSON.stringify(this.#unseen)} of ${JSON.stringify(this.#text)}`);
      }
      await this.#change(giveUpAt - Date.now());
    }
  }

  /** Waits until no process holds the other end. */
  async end(): Promise<void> {
    while (!this.#closed) await this.#change(DEADLINE_MS);
  }

  /** Goes away, as a terminal whose window is closed. */
  [Symbol.dispose](): void {
    this.#stream.destroy();
  }

  #change(deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`the terminal is silent after ${JSON.stringify(this.#text)}`));
      }, deadlineMs);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** An engine's console socket: what `--console-socket` names. */
export async function consoleSocket(path: string): Promise<{ path: string; terminal: Promise<Terminal> }> {
  const server = createServer({ pauseOnConnect: true }).listen(path);
  await once(server, "listening");
  const terminal = once(server, "connection").then(async ([socket]: Socket[]) => {
    if (socket === undefined) throw new Error("no connection");
    server.close();
    const master = await arrived(socket);
    socket.destroy();
    return new Terminal(master);
  });
  terminal.catch(() => undefined);
  return { path, terminal };
}

/** The descriptor comes a moment after the connection. */
async function arrived(socket: Socket): Promise<number> {
  for (;;) {
    try {
      return receiveDescriptor(descriptorOf(socket));
    } catch (error) {
      if ((error as { errno?: string }).errno !== "EAGAIN") throw error;
      await new Promise(setImmediate);
    }
  }
}

export interface ProgramOnTerminal {
  readonly terminal: Terminal;
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
}

/** Runs a program as a person at a terminal would: it is its session's controlling one. */
export function onTerminal(program: string, args: readonly string[], size: WindowSize): ProgramOnTerminal {
  const { master, slave } = openTerminal();
  setWindowSize(master, size);
  const child = spawn("setsid", ["-c", "-w", program, ...args], { stdio: [slave, slave, slave] });
  closeSync(slave);
  const exited = once(child, "exit").then(([status]) => status as number | null);
  return { terminal: new Terminal(master), child, exited };
}
