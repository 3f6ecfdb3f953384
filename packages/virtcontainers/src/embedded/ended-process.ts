import { Readable, Writable } from "node:stream";
import type { GuestProcess } from "@kata-ts/shim";
import { KataError } from "../errors.ts";

/** The first process of a container, which had ended before this program came to it: what it wrote is gone. */
export class EndedProcess implements GuestProcess {
  readonly stdin: Writable = new Writable({
    write: (_chunk, _encoding, done) => {
      done(Object.assign(new Error("the process has ended"), { code: "EPIPE" }));
    },
  });
  readonly stdout: Readable = Readable.from([]);
  readonly stderr: Readable = Readable.from([]);
  readonly cause: undefined = undefined;
  readonly #containerId: string;
  readonly #status: number | undefined;

  /** @param status undefined where the program has it no more that had read it */
  constructor(containerId: string, status: number | undefined) {
    this.#containerId = containerId;
    this.#status = status;
    this.stdin.on("error", () => undefined);
  }

  async wait(): Promise<number> {
    if (this.#status !== undefined) return this.#status;
    throw new KataError("KATA_STATE", `the status of container ${this.#containerId} was lost with an earlier program`, {
      hint: "remove the container",
    });
  }

  kill(): Promise<void> {
    return Promise.resolve();
  }

  killSession(): void {
    // It is over.
  }

  resize(): void {
    // It is over.
  }

  hangUp(): void {
    // It is over.
  }

  readerGone(): void {
    // It is over.
  }

  detach(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    // It is over.
  }
}
