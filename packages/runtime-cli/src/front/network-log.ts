import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NAMES = ["network.log", "network.log.1"] as const;
/** A guest has as much of it written as it wants. */
const MAX_BYTES = 2 ** 20;

/**
 * What a container's network has decided, and changed on the host: a line each with its time, in two files of a bundle that are
 * written in turn, each emptied before it is written again.
 */
export class NetworkLog {
  readonly #paths: readonly string[];
  readonly #maxBytes: number;
  #current = 0;
  #bytes = 0;

  constructor(bundle: string, maxBytes: number = MAX_BYTES) {
    this.#paths = NAMES.map((name) => join(bundle, name));
    this.#maxBytes = maxBytes;
    for (const path of this.#paths) writeFileSync(path, "", { mode: 0o600 });
  }

  /** A disk that is full, and a bundle that is being removed, keep no packet: what cannot be written is lost. */
  readonly write = (text: string): void => {
    const line = `${new Date().toISOString()} ${text}\n`;
    if (this.#bytes + line.length > this.#maxBytes) this.#turn();
    try {
      appendFileSync(this.#path, line);
      this.#bytes += line.length;
    } catch {
      return;
    }
  };

  #turn(): void {
    this.#current = 1 - this.#current;
    this.#bytes = 0;
    try {
      writeFileSync(this.#path, "");
    } catch {
      return;
    }
  }

  get #path(): string {
    return this.#paths[this.#current] ?? "";
  }
}

/** The files of a bundle's network, in the order in which they are written in turn; none where there is no such log. */
export function networkLogs(bundle: string): string[] {
  return NAMES.map((name) => join(bundle, name)).filter((path) => existsSync(path));
}
