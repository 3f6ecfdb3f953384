import { duplexPair } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, it } from "vitest";
import { encodeHeader, Kind } from "./frame.ts";
import { HostProcessStream, newToken, PREFACE_BYTES } from "./index.ts";

/** The data frames for standard input among what a host has sent, without the empty one of its end. */
function inputFrames(sent: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = PREFACE_BYTES; at < sent.length; ) {
    const body = at + 4;
    const end = body + sent.readUIntBE(at + 1, 3);
    if (sent.readUInt8(at) === Kind.stdin && end > body) frames.push(sent.subarray(body, end));
    at = end;
  }
  return frames;
}

it("sends what waits for a process's input in one frame, within the credit that there is", async () => {
  const [here, there] = duplexPair();
  const credit = Buffer.alloc(4);
  credit.writeUInt32BE(10_000);
  there.write(Buffer.concat([encodeHeader(Kind.attached, 0), encodeHeader(Kind.credit, 4), credit]));
  const host = await HostProcessStream.open(here, newToken());
  const sent = buffer(there);
  const given = Array.from({ length: 20 }, (_, n) => Buffer.alloc(600, n));
  for (const chunk of given) host.stdin.write(chunk);
  there.write(Buffer.concat([encodeHeader(Kind.credit, 4), credit]));
  await new Promise<void>((resolve) => host.stdin.end(resolve));
  void host.detach();
  const frames = inputFrames(await sent);
  expect(Buffer.concat(frames).equals(Buffer.concat(given))).toBe(true);
  expect(frames.length, "frames").toBeLessThanOrEqual(3);
});
