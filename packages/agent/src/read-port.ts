import { readvSync } from "node:fs";

/** What one read of a virtio-serial port gives at most. */
const PORT_BUFFER = 4096;
/** As many as one call takes; the port has room for twice as many. */
const MAX_BUFFERS = 64;
/** Where a batch is read to, a port's buffer at a time. */
const batch: Buffer = Buffer.allocUnsafeSlow(MAX_BUFFERS * PORT_BUFFER);
const places: readonly Buffer[] = Array.from({ length: MAX_BUFFERS }, (_, index) =>
  batch.subarray(index * PORT_BUFFER, (index + 1) * PORT_BUFFER),
);

/**
 * A read gives one of the port's buffers, whatever is in it, and in a turn of the event loop a stream makes one read. Bulk data
 * would be slow, and a burst of calls would be taken one by one, each after the work that an earlier one gave the agent: a
 * question that comes last, such as whether the agent lives, would wait for all of them. What the port holds is read at once.
 */
export function readOn(fd: number, first: Buffer): Buffer {
  const all = [first];
  for (let used = 0; used < MAX_BUFFERS; ) {
    const length = readNow(fd, places.slice(used));
    if (length === 0) break;
    all.push(batch.subarray(used * PORT_BUFFER, used * PORT_BUFFER + length));
    used += Math.ceil(length / PORT_BUFFER);
  }
  return all.length === 1 ? first : Buffer.concat(all);
}

/**
 * One call, which asks the port once for each place until one is not filled.
 *
 * @returns 0 when nothing is there: the next poll reports an end, or an error, again
 */
function readNow(fd: number, into: readonly Buffer[]): number {
  try {
    return readvSync(fd, into);
  } catch {
    return 0;
  }
}
