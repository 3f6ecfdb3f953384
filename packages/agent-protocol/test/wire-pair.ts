import { Duplex } from "node:stream";

/**
 * Two ends of a transport that cuts what is written into pieces of the given sizes, as virtio-serial does.
 */
export function wirePair(sizes: readonly number[] = [65_536]): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  let turn = 0;
  const end = (other: () => Duplex | undefined): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        for (let offset = 0; offset < chunk.length; ) {
          const size = sizes[turn++ % sizes.length] ?? 1;
          other()?.push(Buffer.from(chunk.subarray(offset, offset + size)));
          offset += size;
        }
        setImmediate(done);
      },
      final: (done) => {
        other()?.push(null);
        done();
      },
      destroy: (error, done) => {
        other()?.push(null);
        done(error);
      },
    });
  const a = end(() => ends[1]);
  const b = end(() => ends[0]);
  ends.push(a, b);
  return [a, b];
}
