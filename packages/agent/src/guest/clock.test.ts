import { type Duplex, duplexPair } from "node:stream";
import { readBytes, writeTime } from "@kata-ts/agent-protocol/network-streams";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Clock, type SystemClock } from "./clock.ts";

/** A guest's clock, and a host that answers each question at once. */
class Machine {
  behindMs: number;
  readonly steps: number[] = [];
  readonly slews: number[] = [];
  asked = 0;
  readonly system: SystemClock = {
    now: () => this.hostNow - this.behindMs,
    step: (milliseconds) => {
      this.steps.push(milliseconds);
      this.behindMs -= milliseconds;
    },
    slew: (milliseconds) => {
      this.slews.push(milliseconds);
    },
  };
  readonly hostNow = 1_700_000_000_000;
  answers = true;
  /** So many answers are late: they leave at once, and are on their way for 20 ms. */
  late = 0;

  constructor(behindMs: number) {
    this.behindMs = behindMs;
  }

  readonly openStream = (): Duplex => {
    const [guest, host] = duplexPair();
    void this.#serve(host);
    return guest;
  };

  async #serve(host: Duplex): Promise<void> {
    while ((await readBytes(host, 1)) !== undefined) {
      this.asked += 1;
      if (this.asked <= this.late) spin(20);
      if (!this.answers) host.destroy();
      else writeTime(host, this.hostNow);
    }
  }
}

/** As a machine does that is busy with others. */
function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe("the guest's clock", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([390, -390, 20])("is set before the first container runs, by %s ms", async (behind) => {
    const machine = new Machine(behind);
    await new Clock(machine.openStream, machine.system).follow();
    expect(machine.steps).toHaveLength(1);
    expect(machine.steps[0]).toBeCloseTo(behind, -1);
    expect(machine.slews).toEqual([]);
  });

  it("is not set by late answers where a prompt one can be had", async () => {
    const machine = new Machine(390);
    machine.late = 6;
    await new Clock(machine.openStream, machine.system).follow();
    expect(Math.abs((machine.steps[0] ?? 0) - 390)).toBeLessThan(3);
  });

  it("does not jump under what runs, unless it is far off", async () => {
    const machine = new Machine(300);
    const clock = new Clock(machine.openStream, machine.system);
    await clock.follow();
    machine.behindMs = -20;
    await clock.follow();
    expect(machine.steps).toHaveLength(1);
    expect(machine.slews[0]).toBeCloseTo(-20, -1);
    machine.behindMs = 7_200_000;
    await clock.follow();
    expect(machine.steps[1]).toBeCloseTo(7_200_000, -1);
  });

  it("is looked at again and again, less often while it is right", async () => {
    const machine = new Machine(0);
    const clock = new Clock(machine.openStream, machine.system);
    await clock.follow();
    const looks = async (milliseconds: number): Promise<number> => {
      const before = machine.asked;
      await vi.advanceTimersByTimeAsync(milliseconds);
      await vi.waitFor(() => undefined);
      return (machine.asked - before) / 4;
    };
    expect(await looks(10_000)).toBe(1);
    expect(await looks(10_000)).toBe(0);
    expect(await looks(10_000)).toBe(1);
    machine.behindMs = 500;
    await looks(40_000);
    expect(machine.steps).toHaveLength(1);
    expect(await looks(10_000)).toBe(1);
  });

  it("stays as it is where the host does not answer", async () => {
    const machine = new Machine(390);
    machine.answers = false;
    await new Clock(machine.openStream, machine.system).follow();
    expect([...machine.steps, ...machine.slews]).toEqual([]);
    const unreachable = (): Duplex => {
      throw new Error("the host has not connected yet");
    };
    await new Clock(unreachable, machine.system).follow();
    expect([...machine.steps, ...machine.slews]).toEqual([]);
  });
});
