import { describe, expect, it } from "vitest";
import { FrameAllowance } from "./frame-allowance.ts";
import { ErrorCode } from "./protocol.ts";

function spend(allowance: FrameAllowance, frames: number): void {
  for (let frame = 0; frame < frames; frame++) allowance.spend();
}

describe("the allowance for frames that carry nothing", () => {
  it("is a thousand at once, and a hundred a second", () => {
    let now = 0;
    const allowance = new FrameAllowance(() => now);
    spend(allowance, 1000);
    expect(() => {
      allowance.spend();
    }).toThrow(expect.objectContaining({ code: "KATA_HTTP2", reason: ErrorCode.EnhanceYourCalm }) as Error);
    now = 1000;
    spend(allowance, 100);
    expect(() => {
      allowance.spend();
    }).toThrow("floods");
  });

  it("does not add up over a long silence", () => {
    let now = 0;
    const allowance = new FrameAllowance(() => now);
    now = 3_600_000;
    spend(allowance, 1000);
    expect(() => {
      allowance.spend();
    }).toThrow("floods");
  });

  it("is enough for a connection of days with a ping a second, and for data without end", () => {
    let now = 0;
    const allowance = new FrameAllowance(() => now);
    for (let second = 0; second < 200_000; second++) {
      now += 1000;
      allowance.spend();
    }
    for (let piece = 0; piece < 100_000; piece++) {
      allowance.earn(8);
      spend(allowance, 3);
    }
  });
});
