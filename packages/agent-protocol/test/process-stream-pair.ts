import { once } from "node:events";
import { Duplex } from "node:stream";
import { expect } from "vitest";
import type { ServedProcess } from "../src/process-stream/guest.ts";
import { detectProtocol, PREFACE_BYTES, serveProcessStream, tokenOf } from "../src/process-stream/index.ts";

/** Two ends of a wire that cuts what it carries into pieces of the given sizes. */
export function wire(sizes: readonly number[] = [65_536]): [Duplex, Duplex] {
  let turn = 0;
  const end = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        for (let rest = chunk; rest.length > 0; ) {
          const size = sizes[turn++ % sizes.length] ?? 1;
          other().push(rest.subarray(0, size));
          rest = rest.subarray(size);
        }
        setImmediate(done);
      },
      final: (done) => {
        other().push(null);
        done();
      },
      destroy: (error, done) => {
        setImmediate(() => other().destroy());
        done(error);
      },
    });
  const here: Duplex = end(() => there);
  const there: Duplex = end(() => here);
  return [here, there];
}

/** A process whose outputs are given and whose input is collected. */
export class FakeProcess implements ServedProcess {
  readonly heard: string[] = [];
  readonly input: Buffer[] = [];
  readonly status = Promise.withResolvers<number>();
  readonly exited: Promise<number> = this.status.promise;
  readonly #outputs: Record<1 | 2, Buffer>;
  inputTaken = true;
  read: ServedProcess["read"] = async (descriptor, limit) => {
    const rest = this.#outputs[descriptor];
    if (rest.length === 0) return undefined;
    this.#outputs[descriptor] = rest.subarray(limit);
    return rest.subarray(0, limit);
  };

  constructor(stdout: Buffer = Buffer.alloc(0), stderr: Buffer = Buffer.alloc(0)) {
    this.#outputs = { 1: stdout, 2: stderr };
  }

  closeOutput(descriptor: 1 | 2): void {
    this.heard.push(`close ${String(descriptor)}`);
  }
  async write(pieces: readonly Buffer[]): Promise<boolean> {
    if (this.inputTaken) this.input.push(Buffer.concat(pieces));
    return this.inputTaken;
  }
  closeInput(): void {
    this.heard.push("end of input");
    this.status.resolve(3);
  }
  signal(signal: number): void {
    this.heard.push(`signal ${String(signal)}`);
  }
  resize(rows: number, columns: number): void {
    this.heard.push(`${String(columns)}x${String(rows)}`);
  }
  killSession(): void {
    this.heard.push("session killed");
  }
  hangUp(): void {
    this.heard.push("hang-up");
  }
  forget(): void {
    this.heard.push("forgotten");
  }
}

/** The guest's side: takes the preface off, then serves. */
export async function serve(connection: Duplex, process: ServedProcess): Promise<{ end: string; token: Buffer }> {
  let head = Buffer.alloc(0);
  while (head.length < PREFACE_BYTES) {
    const data = connection.read() as Buffer | null;
    if (data === null) await once(connection, "readable");
    else head = Buffer.concat([head, data]);
  }
  expect(detectProtocol(head)).toBe("process");
  connection.unshift(head.subarray(PREFACE_BYTES));
  return { token: tokenOf(head), end: await serveProcessStream(connection, process) };
}
