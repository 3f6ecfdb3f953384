import {
  type EndCause,
  HostProcessStream,
  type OpenOptions,
  ProcessLost,
  type TerminalSize,
} from "@kata-ts/agent-protocol/process-stream";
import { dial } from "@kata-ts/linux";
import type { GuestProcess } from "./guest-process.ts";

/** A process over a stream of its own: see PROTOCOL.md. Ending it without the process's end kills the process. */
export class StreamedProcess implements GuestProcess {
  readonly stdin: GuestProcess["stdin"];
  readonly stdout: GuestProcess["stdout"];
  readonly stderr: GuestProcess["stderr"];
  readonly #stream: HostProcessStream;

  constructor(stream: HostProcessStream) {
    this.#stream = stream;
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr } = stream);
  }

  /**
   * @param agentUrl as `dial` takes it
   * @param token that the agent gave for the process
   * @throws ProcessLost when the agent does not know it, cannot be reached, or does not answer in time; the signal's reason
   */
  static async open(agentUrl: string, token: Uint8Array, options?: OpenOptions): Promise<StreamedProcess> {
    const connection = await dial(agentUrl).catch((error: unknown) => {
      throw new ProcessLost(error instanceof Error ? error : undefined);
    });
    return new StreamedProcess(await HostProcessStream.open(connection, token, options));
  }

  get cause(): EndCause | undefined {
    return this.#stream.cause;
  }

  wait(signal?: AbortSignal): Promise<number> {
    if (signal === undefined) return this.#stream.exited;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal.reason as Error);
      };
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#stream.exited.then(resolve, reject).finally(() => {
        signal.removeEventListener("abort", onAbort);
      });
    });
  }

  kill(signal: number): Promise<void> {
    this.#stream.signal(signal);
    return Promise.resolve();
  }

  killSession(): void {
    this.#stream.killSession();
  }

  resize(size: TerminalSize): void {
    this.#stream.resize(size);
  }

  hangUp(): void {
    this.#stream.hangUp();
  }

  detach(): Promise<void> {
    return this.#stream.detach();
  }

  readerGone(output: "stdout" | "stderr"): void {
    this[output].destroy();
  }

  [Symbol.dispose](): void {
    this.#stream.close();
  }
}
