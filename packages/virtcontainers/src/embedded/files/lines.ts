import { KataError } from "../../errors.ts";

/** A line of the guest's: an entry of a directory, or a report. Names and links have 4096 bytes at most, each of which JSON may escape. */
const MAX_LINE_BYTES = 64 * 1024;

/** The lines of a stream that a guest writes. @throws KataError KATA_AGENT for one that is longer than any of ours */
export async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf("\n"); end !== -1; end = chunk.indexOf("\n", from)) {
      const line = Buffer.concat([rest, chunk.subarray(from, end)]);
      if (line.length > MAX_LINE_BYTES) throw tooLong();
      yield line.toString();
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    if (rest.length + chunk.length - from > MAX_LINE_BYTES) throw tooLong();
    rest = Buffer.concat([rest, chunk.subarray(from)]);
  }
}

function tooLong(): KataError {
  return new KataError("KATA_AGENT", `the guest wrote a line of more than ${String(MAX_LINE_BYTES)} bytes`);
}
