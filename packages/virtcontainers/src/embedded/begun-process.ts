import type { GuestProcess } from "@kata-ts/shim";
import { Process } from "./process.ts";

/** A process that the guest has started, before it is the caller's. Disposing it ends it with all that it has started. */
export class BegunProcess implements AsyncDisposable {
  readonly guest: GuestProcess;
  /** It has a stream of its own: its status does not take its output with it. */
  readonly isStreamed: boolean;

  constructor(guest: GuestProcess, isStreamed: boolean) {
    this.guest = guest;
    this.isStreamed = isStreamed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const killed = new Process(this.guest, { signal: AbortSignal.abort() });
    for (const output of [killed.stdout, killed.stderr]) output.on("error", () => undefined).resume();
    await killed.wait();
  }
}
