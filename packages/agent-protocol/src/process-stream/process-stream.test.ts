import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { FakeProcess, serve, wire } from "../../test/process-stream-pair.ts";
import { encodeHeader, Kind } from "./frame.ts";
import { detectProtocol, HostProcessStream, newToken } from "./index.ts";

describe("a process stream", () => {
  it("carries every byte both ways, however the wire cuts them", async () => {
    const bytes = fc.uint8Array({ maxLength: 5000 }).map((data) => Buffer.from(data));
    await fc.assert(
      fc.asyncProperty(
        bytes,
        bytes,
        bytes,
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1 }),
        async (...given) => {
          const [stdin, stdout, stderr, sizes] = given;
          const [here, there] = wire(sizes);
          const process = new FakeProcess(stdout, stderr);
          const token = newToken();
          const served = serve(there, process);
          const host = await HostProcessStream.open(here, token);
          host.stdin.end(stdin);
          expect(await Promise.all([buffer(host.stdout), buffer(host.stderr)])).toEqual([stdout, stderr]);
          expect(await host.exited).toBe(3);
          expect(await served).toEqual({ token, end: "exited" });
          expect(Buffer.concat(process.input)).toEqual(stdin);
          expect(process.heard).toEqual(["end of input", "forgotten"]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("stops the process while its output is not read, output by output", async () => {
    const [here, there] = wire();
    const process = new FakeProcess(Buffer.alloc(16 * 1024 * 1024, "x"), Buffer.from("still heard"));
    let sent = 0;
    const read = process.read;
    process.read = async (...request) => {
      const [descriptor] = request;
      const data = await read(...request);
      if (descriptor === 1) sent += data?.length ?? 0;
      return data;
    };
    void serve(there, process);
    const host = await HostProcessStream.open(here, newToken());
    expect(await text(host.stderr)).toBe("still heard"); // while the other is not read
    expect(sent).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(await buffer(host.stdout)).toHaveLength(16 * 1024 * 1024);
    host.stdin.end();
    expect(await host.exited).toBe(3);
  });

  it("carries signals, sizes and the hang-up", async () => {
    const [here, there] = wire([1]);
    const process = new FakeProcess();
    const served = serve(there, process);
    const host = await HostProcessStream.open(here, newToken());
    host.signal(64);
    host.resize({ rows: 24, columns: 300 });
    host.hangUp();
    host.killSession(); // An agent that does not know it still gets the signal.
    host.stdin.end();
    await host.exited;
    await served;
    const heard = ["signal 64", "300x24", "hang-up", "session killed", "signal 9", "end of input", "forgotten"];
    expect(process.heard).toEqual(heard);
  });

  it.each(["exited", "signalled", "outOfMemory"] as const)("says that a process has %s", async (cause) => {
    const [here, there] = wire([1]);
    const process = Object.assign(new FakeProcess(), { cause });
    void serve(there, process);
    const host = await HostProcessStream.open(here, newToken());
    expect(host.cause).toBeUndefined();
    host.stdin.end();
    await host.exited;
    expect(host.cause).toBe(cause);
  });

  it("knows no reason of an end where the guest gives none, or gives a word that is no reason", async () => {
    const [here, there] = wire();
    const opening = HostProcessStream.open(here, newToken());
    const status = Buffer.concat([encodeHeader(Kind.exit, 4), Buffer.alloc(4)]);
    for (const body of [Buffer.of(9), Buffer.of(1, 1)])
      there.write(Buffer.concat([encodeHeader(Kind.cause, body.length), body]));
    there.write(Buffer.concat([encodeHeader(Kind.attached, 0), status]));
    const host = await opening;
    expect([await host.exited, host.cause]).toEqual([0, undefined]);
  });

  it("reports a closed reader of an output, and a process that closed its input", async () => {
    const [here, there] = wire();
    const process = new FakeProcess(Buffer.alloc(64 * 1024 * 1024));
    process.inputTaken = false;
    void serve(there, process);
    const host = await HostProcessStream.open(here, newToken());
    host.stdout.destroy();
    host.stdin.write("this is not read");
    await expect(once(host.stdin, "error")).resolves.toMatchObject([{ code: "EPIPE" }]);
    while (process.heard.length === 0) await new Promise(setImmediate);
    expect(process.heard).toEqual(["close 1"]);
    host.stderr.resume();
    process.status.resolve(141);
    expect(await host.exited).toBe(141);
  });

  it("makes nothing of its being said again that a process has closed its input", async () => {
    const [here, there] = wire();
    const opening = HostProcessStream.open(here, newToken());
    there.write(encodeHeader(Kind.attached, 0));
    const { stdin, exited } = await opening;
    const ends = vi.spyOn(stdin, "destroy");
    const closed = Array.from({ length: 3 }, () => encodeHeader(Kind.stop, 0));
    there.write(Buffer.concat([...closed, encodeHeader(Kind.exit, 4), Buffer.alloc(4)]));
    expect(await exited).toBe(0);
    expect(ends).toHaveBeenCalledTimes(1);
  });

  it("owns its process: cut off it is lost, detached it is not", async () => {
    const ends: string[] = [];
    for (const leave of ["cut", "detach"] as const) {
      const [here, there] = wire();
      const process = new FakeProcess();
      process.read = () => new Promise(() => undefined);
      const served = serve(there, process);
      const host = await HostProcessStream.open(here, newToken());
      if (leave === "cut") here.destroy();
      else void host.detach();
      ends.push((await served).end);
    }
    expect(ends).toEqual(["lost", "detached"]);
  });

  it("resolves a detach when the guest knows, and says that the process was let go of", async () => {
    const [here, there] = wire();
    const process = new FakeProcess();
    process.read = (_descriptor, _limit, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          resolve(Buffer.alloc(0));
        });
      });
    let isLetGo = false;
    const served = serve(there, Object.assign(process, { letGo: () => (isLetGo = true) }));
    const host = await HostProcessStream.open(here, newToken());
    await host.detach();
    expect(isLetGo).toBe(true);
    await expect(host.exited).rejects.toThrow("the guest's process was let go of");
    expect((await served).end).toBe("detached");
  });

  it("takes nothing from a process once it is over: that is for the next stream", async () => {
    const [here, there] = wire();
    const process = new FakeProcess();
    const aborted: boolean[] = [];
    process.read = (_descriptor, _limit, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          aborted.push(true);
          resolve(Buffer.alloc(0));
        });
      });
    const served = serve(there, process);
    const host = await HostProcessStream.open(here, newToken());
    void host.detach();
    expect((await served).end).toBe("detached");
    while (aborted.length < 2) await new Promise(setImmediate);
  });

  it.each([
    ["has not taken the stream within its deadline", { deadlineMs: 1 }, { code: "KATA_PROCESS_LOST" }],
    ["its caller has given up", { signal: AbortSignal.abort(new Error("enough")) }, { message: "enough" }],
  ])("that is not opened is closed, once the guest %s", async (_what, options, error) => {
    const [here, there] = wire();
    there.resume();
    await expect(HostProcessStream.open(here, newToken(), options)).rejects.toMatchObject(error);
    expect(here.destroyed).toBe(true);
  });

  it("that ends before the process's status is sent, to every caller that waits", async () => {
    const [here, there] = wire();
    const opening = HostProcessStream.open(here, newToken());
    there.destroy();
    await expect(opening).rejects.toMatchObject({ code: "KATA_PROCESS_LOST" });
  });

  it.each([
    [
      "more than it has credit for",
      Buffer.concat(Array.from({ length: 3 }, () => [encodeHeader(1, 2 ** 20), Buffer.alloc(2 ** 20)]).flat()),
    ],
    ["data for standard input", Buffer.concat([encodeHeader(0, 1), Buffer.alloc(1)])],
    ["a frame that is too long", encodeHeader(1, 2 ** 24 - 1)],
    ["a control frame that is too long", encodeHeader(Kind.exit, 65)],
  ])("refuses a guest that sends %s", async (_what, bytes) => {
    const [here, there] = wire();
    const opening = HostProcessStream.open(here, newToken());
    there.write(Buffer.concat([encodeHeader(Kind.attached, 0), bytes]));
    const host = await opening;
    await expect(host.exited).rejects.toMatchObject({ cause: { code: "KATA_PROCESS_STREAM" } });
    expect(here.destroyed).toBe(true);
  });

  it("is distinguished from gRPC by its first bytes", () => {
    expect(detectProtocol(Buffer.from("PRI * HTTP/2.0"))).toBe("calls");
    expect(detectProtocol(Buffer.from("KATA"))).toBeUndefined();
    expect(detectProtocol(Buffer.from("KATATS/2"))).toBe("calls");
  });

  it("holds an output that nothing reads in little more than its bytes, however the guest cuts it", async () => {
    const window = 2 * 1024 * 1024;
    const [here, there] = wire();
    there.resume();
    const opening = HostProcessStream.open(here, newToken());
    there.write(encodeHeader(Kind.attached, 0));
    const hosted = await opening;
    const before = held();
    const frames = Buffer.concat(
      Array.from({ length: 4096 }, (_, n) => [encodeHeader(Kind.stdout, 1), Buffer.of(n)]).flat(),
    );
    for (let sent = 0; sent < window; sent += 4096) {
      if (!there.write(frames)) await once(there, "drain");
    }
    expect(held() - before, "bytes of memory").toBeLessThan(8 * window);
    let read = 0;
    for await (const chunk of hosted.stdout) {
      read += (chunk as Buffer).length;
      if (read === window) break;
    }
    hosted.close();
  });
});

/** Memory in use, without what is garbage. */
function held(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
