import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { YamuxSession } from "../src/yamux/session.ts";

/** A transport that notes the length of each piece that it is given, as a serial port would send it. */
function noting(pieces: number[]): Duplex {
  return new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      pieces.push(chunk.length);
      done();
    },
  });
}

it("is written in as few pieces as its large parts leave it", async () => {
  const pieces: number[] = [];
  const session = new YamuxSession(noting(pieces), { role: "client" });
  const stream = session.open();
  stream.cork();
  for (const length of [4, 20_000, 5]) stream.write(Buffer.alloc(length));
  stream.uncork();
  await new Promise((resolve) => stream.write(Buffer.alloc(100), resolve));
  expect(pieces).toEqual([12, 16, 20_000, 5, 112]);
  stream.on("error", () => undefined);
  session.close();
});
