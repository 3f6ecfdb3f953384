import { newToken } from "@kata-ts/agent-protocol/process-stream";
import type { ContainerProcess } from "./container-process.ts";

/** Tokens by which a stream names its process. The agent hands them out over gRPC alone, so that a token proves a caller. */
export class StreamTokens {
  readonly #processes: Map<string, ContainerProcess> = new Map();

  issue(process: ContainerProcess): Buffer {
    const token = newToken();
    this.#processes.set(token.toString("hex"), process);
    return token;
  }

  find(token: Buffer): ContainerProcess | undefined {
    return this.#processes.get(token.toString("hex"));
  }

  revoke(process: ContainerProcess): void {
    for (const [token, holder] of this.#processes) if (holder === process) this.#processes.delete(token);
  }
}
