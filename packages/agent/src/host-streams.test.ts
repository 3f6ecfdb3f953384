import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HostStreams } from "./host-streams.ts";

describe("streams to the host", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("are connections that the host has offered, the oldest first", async () => {
    const streams = new HostStreams();
    const [first, second] = [new PassThrough(), new PassThrough()];
    streams.offer(first);
    streams.offer(second);
    expect(await streams.open()).toBe(first);
    expect(await streams.open()).toBe(second);
  });

  it("wait for the next offer, in the order in which they were asked for", async () => {
    const streams = new HostStreams();
    const waiting = [streams.open(), streams.open()].map((stream) => Promise.resolve(stream));
    const [first, second] = [new PassThrough(), new PassThrough()];
    streams.offer(first);
    streams.offer(second);
    expect(await Promise.all(waiting)).toEqual([first, second]);
  });

  it("fail when the host offers none in time, and leave a later offer to the next", async () => {
    const streams = new HostStreams();
    const failed = expect(streams.open()).rejects.toThrow("the host has not connected yet");
    await vi.advanceTimersByTimeAsync(2_000);
    await failed;
    const offer = new PassThrough();
    streams.offer(offer);
    expect(await streams.open()).toBe(offer);
  });

  it("are none that the host has taken back meanwhile", async () => {
    const streams = new HostStreams();
    const [gone, there] = [new PassThrough(), new PassThrough()];
    streams.offer(gone);
    streams.offer(there);
    gone.destroy();
    await vi.advanceTimersByTimeAsync(0);
    expect(await streams.open()).toBe(there);
  });

  it("are bounded in number while they are unused", () => {
    const streams = new HostStreams();
    const offers = Array.from({ length: 20 }, () => new PassThrough());
    for (const offer of offers) streams.offer(offer);
    expect(offers.filter(({ destroyed }) => destroyed)).toHaveLength(4);
  });

  it("are the yamux session's where there is one", () => {
    const streams = new HostStreams();
    const opened = new PassThrough();
    streams.session = { open: () => opened };
    streams.offer(new PassThrough());
    expect(streams.open()).toBe(opened);
  });
});
