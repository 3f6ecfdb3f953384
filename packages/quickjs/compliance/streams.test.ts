import { Duplex, duplexPair, getDefaultHighWaterMark, PassThrough, Readable, Transform, Writable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";

describe("streams", () => {
  it("buffer 64 KiB by default", () => {
    expect([getDefaultHighWaterMark(false), new PassThrough().writableHighWaterMark]).toEqual([65_536, 65_536]);
  });

  it("pass data through a pipeline", async () => {
    const upper = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        done(null, chunk.toString().toUpperCase());
      },
    });
    const out: string[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        out.push(chunk.toString());
        done();
      },
    });
    await pipeline(Readable.from(["a", "b"]), upper, sink);
    expect(out.join("")).toBe("AB");
  });

  it("hold a writer back, and tell it when there is room", async () => {
    let release: (() => void) | undefined;
    const slow = new Writable({
      highWaterMark: 4,
      write: (_chunk, _encoding, done) => {
        release = done;
      },
    });
    expect([slow.write("ab"), slow.write("cd"), slow.writableNeedDrain]).toEqual([true, false, true]);
    const drained = new Promise((resolve) => slow.once("drain", resolve));
    release?.();
    await new Promise((resolve) => setImmediate(resolve));
    release?.();
    await drained;
    expect(slow.writableLength).toBe(0);
  });

  it("destroy each other in a pipeline that fails", async () => {
    const source = new Readable({ read: () => undefined });
    const sink = new PassThrough();
    const piped = pipeline(source, sink);
    source.destroy(new Error("mine"));
    await expect(piped).rejects.toThrow("mine");
    expect(sink.destroyed).toBe(true);
  });

  it("emit in the order of end, finish and close", async () => {
    const order: string[] = [];
    const through = new PassThrough();
    for (const name of ["end", "finish", "close"]) through.on(name, () => order.push(name));
    through.end("x");
    through.resume();
    await finished(through);
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(["finish", "end", "close"]);
  });

  it("are iterated, and ended early", async () => {
    const source = Readable.from([1, 2, 3]);
    for await (const value of source) {
      expect(value).toBe(1);
      break;
    }
    expect(source.destroyed).toBe(true);
  });

  it("come in pairs", async () => {
    const [near, far] = duplexPair();
    near.end("to far");
    far.end("to near");
    expect(await Promise.all([text(far), text(near)])).toEqual(["to far", "to near"]);
  });

  it("are pulled as far as they are read", async () => {
    let pulled = 0;
    const source = new Readable({
      highWaterMark: 2,
      read() {
        pulled += 1;
        this.push(pulled > 100 ? null : Buffer.from([pulled]));
      },
    });
    await new Promise((resolve) => source.once("readable", resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(pulled).toBeLessThan(10);
    expect(await buffer(source)).toHaveLength(100);
  });

  it("have an error only once, also where they are destroyed again", async () => {
    const errors: string[] = [];
    const duplex = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
    duplex.on("error", (error) => errors.push(error.message));
    duplex.destroy(new Error("first"));
    duplex.destroy(new Error("second"));
    await new Promise((resolve) => duplex.once("close", resolve));
    expect(errors).toEqual(["first"]);
  });
});
