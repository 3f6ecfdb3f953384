// Node's own streams, of Node 18, as a library.
import streams from "readable-stream/lib/stream.js";

export const {
  Stream,
  Readable,
  Writable,
  Duplex,
  Transform,
  PassThrough,
  addAbortSignal,
  finished,
  pipeline,
  getDefaultHighWaterMark,
  setDefaultHighWaterMark,
}: typeof import("node:stream") = streams;

/** Node's since its version 22. */
setDefaultHighWaterMark(false, 64 * 1024);

/** What `@types/node` leaves out of it: a side that is not there. */
export interface DuplexOptions extends NonNullable<ConstructorParameters<typeof Duplex>[0]> {
  readonly readable?: boolean;
  readonly writable?: boolean;
}

export type Readable = InstanceType<typeof Readable>;
export type Writable = InstanceType<typeof Writable>;
export type Duplex = InstanceType<typeof Duplex>;

export const promises: typeof import("node:stream/promises") = streams.promises;

/** Two streams, of which each reads what is written to the other; later than Node 18. */
export function duplexPair(options: object = {}): [Duplex, Duplex] {
  const made: Duplex[] = [];
  const waiting: ((() => void) | undefined)[] = [undefined, undefined];
  for (const [own, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    made[own] = new Duplex({
      ...options,
      read: () => {
        const done = waiting[other];
        waiting[other] = undefined;
        done?.();
      },
      write: (chunk: Uint8Array, _encoding: string, done: () => void) => {
        if (chunk.length === 0) {
          queueMicrotask(done);
          return;
        }
        waiting[own] = done;
        made[other]?.push(chunk);
      },
      final: (done: () => void) => {
        made[other]?.on("end", done);
        made[other]?.push(null);
      },
    });
  }
  return made as [Duplex, Duplex];
}

export default Object.assign(Stream, { duplexPair });
