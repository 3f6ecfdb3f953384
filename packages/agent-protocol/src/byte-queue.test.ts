import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteQueue } from "./byte-queue.ts";

function drain(queue: ByteQueue): Buffer {
  const pieces: Buffer[] = [];
  for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("ByteQueue", () => {
  it("gives the bytes back in order, however they were cut and whenever they are taken", () => {
    const step = fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.constant(0));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ByteQueue();
        const pushed: Buffer[] = [];
        const taken: Buffer[] = [];
        for (const [index, size] of steps.entries()) {
          if (size === 0) taken.push(queue.shift() ?? Buffer.alloc(0));
          else {
            const piece = Buffer.alloc(size, index);
            pushed.push(piece);
            queue.push(piece);
          }
        }
        taken.push(drain(queue));
        expect(Buffer.concat(taken)).toEqual(Buffer.concat(pushed));
        expect(queue.length).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it("holds a million single bytes in little more than a mebibyte, and says so", () => {
    const queue = new ByteQueue();
    const chunk = Buffer.alloc(64 * 1024, 7);
    const before = process.memoryUsage();
    for (let n = 0; n < 1024 * 1024; n++) queue.push(chunk.subarray(n % chunk.length, (n % chunk.length) + 1));
    const after = process.memoryUsage();
    expect(queue.memory).toBeLessThan(1.2 * 1024 * 1024);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 * 1024 * 1024);
    expect(queue.takeAll().equals(Buffer.alloc(1024 * 1024, 7))).toBe(true);
  });

  it("does not keep a large chunk for a small part of it", () => {
    const queue = new ByteQueue();
    queue.push(Buffer.alloc(64 * 1024).subarray(0, 2000));
    expect(queue.shift()?.buffer.byteLength).toBeLessThan(4096);
  });

  it("keeps a large piece as it is", () => {
    const queue = new ByteQueue();
    const piece = Buffer.alloc(64 * 1024);
    queue.push(Buffer.from("a"));
    queue.push(piece);
    expect(queue.shift()?.toString()).toBe("a");
    expect(queue.shift()).toBe(piece);
  });
});
