import { newToken } from "@kata-ts/agent-protocol/process-stream";
import type { GuestProcess } from "./guest-process.ts";

/** Tokens by which a stream names its process: whoever has one was given it over gRPC. */
export class Tickets {
  readonly #processes: Map<string, GuestProcess> = new Map();

  issue(process: GuestProcess): Buffer {
    const token = newToken();
    this.#processes.set(token.toString("hex"), process);
    return token;
  }

  find(token: Buffer): GuestProcess | undefined {
    return this.#processes.get(token.toString("hex"));
  }

  revoke(process: GuestProcess): void {
    for (const [token, holder] of this.#processes) if (holder === process) this.#processes.delete(token);
  }
}
