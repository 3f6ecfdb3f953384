import { Readable, Writable } from "node:stream";
import { type AgentClient, isEndOfStream } from "@kata-ts/agent-protocol";

/** A process in a guest, by the names that the agent knows it under. */
export interface ProcessAddress {
  readonly containerId: string;
  readonly execId: string;
}

/** Bytes per read: large enough to make the round trip worth it, small enough for the guest's memory. */
const READ_BYTES = 256 * 1024;
const WRITE_BYTES = 256 * 1024;

/**
 * The standard streams of a guest process as Node streams, over the 1.x RPCs. Reading nothing asks for nothing: a slow
 * reader stops the process in the guest.
 */
export interface ProcessStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

export function openProcessStreams(agent: AgentClient, address: ProcessAddress): ProcessStreams {
  return {
    stdin: new GuestInput(agent, address),
    stdout: new GuestOutput(agent.readStdout, address),
    stderr: new GuestOutput(agent.readStderr, address),
  };
}

/** The exit status of a guest process, or 128 + signal. Read its outputs to their ends first: they go with it. */
export async function waitForProcess(
  agent: AgentClient,
  address: ProcessAddress,
  signal?: AbortSignal,
): Promise<number> {
  const request = { container_id: address.containerId, exec_id: address.execId };
  const { status } = await agent.waitProcess(request, signal === undefined ? {} : { signal });
  return status & 0xff; // A hostile guest may send anything; an exit status is a byte.
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

/** The process no longer reads its standard input. */
export class StdinClosed extends Error {
  readonly code = "EPIPE";
  override readonly name = "StdinClosed";

  constructor() {
    super("the process closed its standard input");
  }
}
