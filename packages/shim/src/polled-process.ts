import { Readable, Writable } from "node:stream";
import { type AgentClient, AgentRpcError, isEndOfStream, RpcStatus } from "@kata-ts/agent-protocol";
import { StdinClosed, type TerminalSize } from "@kata-ts/agent-protocol/process-stream";
import type { GuestProcess, ProcessAddress } from "./guest-process.ts";

/** Bytes per read: large enough to make the round trip worth it, small enough for the guest's memory. */
const READ_BYTES = 256 * 1024;
const WRITE_BYTES = 256 * 1024;

const SIGPIPE = 13;
const SIGHUP = 1;
const SIGKILL = 9;

/**
 * A process over the RPCs of the 1.x contract, for an agent that has no process streams. Reading nothing asks for
 * nothing: a slow reader stops the process in the guest. Such a process has no owner: it lives on without us.
 */
export class PolledProcess implements GuestProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The contract has no word for it. */
  readonly cause: undefined = undefined;
  readonly #agent: AgentClient;
  readonly #address: ProcessAddress;
  readonly #onDispose: () => void;

  /** @param onDispose for what was made for this process alone, such as the agent's connection */
  constructor(agent: AgentClient, address: ProcessAddress, onDispose: () => void = () => undefined) {
    this.#agent = agent;
    this.#address = address;
    this.#onDispose = onDispose;
    this.stdin = new GuestInput(agent, address);
    this.stdout = new GuestOutput(agent.readStdout, address);
    this.stderr = new GuestOutput(agent.readStderr, address);
  }

  async wait(signal?: AbortSignal): Promise<number> {
    const { status } = await this.#agent.waitProcess(this.#request, signal === undefined ? {} : { signal });
    return status & 0xff; // A hostile guest may send anything; an exit status is a byte.
  }

  async kill(signal: number): Promise<void> {
    try {
      await this.#agent.signalProcess({ ...this.#request, signal });
    } catch (error) {
      const over =
        error instanceof AgentRpcError &&
        (error.status === RpcStatus.NotFound || error.status === RpcStatus.Unavailable);
      if (!over) throw error;
    }
  }

  // The contract cannot say more. A guest that is lost meanwhile has ended the process, too.
  killSession(): void {
    this.kill(SIGKILL).catch(() => undefined);
  }

  resize({ rows, columns }: TerminalSize): void {
    this.#agent.ttyWinResize({ ...this.#request, row: rows, column: columns }).catch(() => undefined);
  }

  // The contract cannot say it: the process learns what it would have learnt from the kernel.
  hangUp(): void {
    this.kill(SIGHUP).catch(() => undefined);
  }

  /** Nothing ties it to us. */
  detach(): Promise<void> {
    this[Symbol.dispose]();
    return Promise.resolve();
  }

  readerGone(output: "stdout" | "stderr"): void {
    this.kill(SIGPIPE).catch(() => undefined);
    this[output].resume();
  }

  [Symbol.dispose](): void {
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.destroy();
    this.#onDispose();
  }

  get #request(): { container_id: string; exec_id: string } {
    return { container_id: this.#address.containerId, exec_id: this.#address.execId };
  }
}

class GuestOutput extends Readable {
  readonly #read: AgentClient["readStdout"];
  readonly #address: ProcessAddress;
  readonly #abort = new AbortController();

  constructor(read: AgentClient["readStdout"], address: ProcessAddress) {
    super({ highWaterMark: READ_BYTES });
    this.#read = read;
    this.#address = address;
  }

  override _read(): void {
    const request = { container_id: this.#address.containerId, exec_id: this.#address.execId, len: READ_BYTES };
    this.#read(request, { signal: this.#abort.signal }).then(
      ({ data }) => {
        // No data is not the end, and push() of nothing would not be answered by another _read.
        if (data.length === 0) this._read();
        else this.push(data);
      },
      (error: unknown) => {
        if (isEndOfStream(error)) this.push(null);
        else this.destroy(error as Error);
      },
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#abort.abort();
    done(error);
  }
}

class GuestInput extends Writable {
  readonly #agent: AgentClient;
  readonly #address: ProcessAddress;
  readonly #abort = new AbortController();

  constructor(agent: AgentClient, address: ProcessAddress) {
    super({ highWaterMark: WRITE_BYTES });
    this.#agent = agent;
    this.#address = address;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#writeFrom(chunk, 0).then(() => {
      done();
    }, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const request = { container_id: this.#address.containerId, exec_id: this.#address.execId };
    this.#agent.closeStdin(request).then(() => {
      done();
    }, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#abort.abort();
    done(error);
  }

  async #writeFrom(chunk: Buffer, start: number): Promise<void> {
    for (let offset = start; offset < chunk.length; ) {
      const data = chunk.subarray(offset, offset + WRITE_BYTES);
      const request = { container_id: this.#address.containerId, exec_id: this.#address.execId, data };
      const { len } = await this.#agent.writeStdin(request, { signal: this.#abort.signal });
      if (len === 0) throw new StdinClosed();
      offset += len;
    }
  }
}
