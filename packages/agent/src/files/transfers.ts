import type { Duplex } from "node:stream";
import type { FileFailure } from "@kata-ts/agent-protocol";
import { newToken, serveProcessStream } from "@kata-ts/agent-protocol/process-stream";
import { failedPrecondition } from "../errors.ts";
import { Transfer, type TransferWork } from "./transfer.ts";

/** How long an operation waits for the stream that it was asked for with. */
const CLAIM_DEADLINE_MS = 30_000;
/** Operations that have a stream, or wait for one. */
const MAX_TRANSFERS = 64;

interface Entry {
  readonly containerId: string;
  readonly transfer: Transfer;
  readonly work: TransferWork;
  readonly deadline: NodeJS.Timeout;
  /** Once its stream has come. */
  running: Promise<void> | undefined;
}

/** Operations on files that have streams of their own. A stream that ends takes its operation with it. */
export class Transfers {
  readonly #failureOf: (error: unknown) => FileFailure;
  readonly #entries: Map<string, Entry> = new Map();

  /** @param failureOf what the host gets to know of an error */
  constructor(failureOf: (error: unknown) => FileFailure) {
    this.#failureOf = failureOf;
  }

  /** @returns what opens its stream @throws AgentRpcError FailedPrecondition where there are too many */
  begin(containerId: string, work: TransferWork): Buffer {
    if (this.#entries.size >= MAX_TRANSFERS)
      throw failedPrecondition(`${String(MAX_TRANSFERS)} operations on files are under way`);
    const token = newToken();
    const key = token.toString("hex");
    const deadline = setTimeout(() => {
      this.#entries.delete(key);
    }, CLAIM_DEADLINE_MS);
    this.#entries.set(key, { containerId, transfer: new Transfer(), work, deadline, running: undefined });
    return token;
  }

  /** Serves the stream that names one. @returns false where none is meant */
  serve(stream: Duplex, token: Buffer): boolean {
    const key = token.toString("hex");
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.running !== undefined) return false;
    clearTimeout(entry.deadline);
    const { transfer } = entry;
    void serveProcessStream(stream, transfer).then(() => {
      transfer.abort();
    });
    entry.running = transfer.run(entry.work, this.#failureOf).finally(() => {
      this.#entries.delete(key);
    });
    return true;
  }

  /** Ends those of a container: what they hold open of it is closed. */
  async end(containerId: string): Promise<void> {
    const ended = [...this.#entries].filter(([, entry]) => entry.containerId === containerId);
    for (const [key, { transfer, deadline }] of ended) {
      clearTimeout(deadline);
      transfer.abort();
      this.#entries.delete(key);
    }
    for (const [, { running }] of ended) await running;
  }
}
