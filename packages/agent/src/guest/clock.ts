import type { Duplex } from "node:stream";
import { askTime, MAX_QUESTIONS } from "@kata-ts/agent-protocol/network-streams";
import { slewClock, stepClock, wallClock } from "@kata-ts/linux";
import type { OpenStream } from "../host-streams.ts";
import { log } from "../log.ts";

/** Questions to the host at a time, at least: the fastest answer has the most exact time. */
const MIN_QUESTIONS = 4;
/** By so much the time may be wrong at most: a machine that is busy for a moment is asked again, as often as one stream allows. */
const EXACT_MS = 2;
/** For all of them. */
const DEADLINE_MS = 2_000;
/** What is more than this is set at once, as by ntpd; less is made up for by a clock that runs a little faster or slower. */
const STEP_MS = 100;
/** Not worth an adjustment, nor another look soon. */
const GOOD_MS = 1;
const SOON_MS = 10_000;
const LATE_MS = 160_000;

/** The guest's clock as the system has it. */
export interface SystemClock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly step: (milliseconds: number) => void;
  readonly slew: (milliseconds: number) => void;
}

const SYSTEM: SystemClock = { now: wallClock, step: stepClock, slew: slewClock };

/**
 * Keeps the guest's clock at the host's. An emulated guest knows the speed of its own only roughly, and any guest misses
 * what its host sets, and the time that its host was suspended.
 */
export class Clock {
  readonly #openStream: OpenStream;
  readonly #system: SystemClock;
  #timer: NodeJS.Timeout | undefined;
  #interval = SOON_MS;
  #hasRun = false;

  /** @param openStream to the host */
  constructor(openStream: OpenStream, system: SystemClock = SYSTEM) {
    this.#openStream = openStream;
    this.#system = system;
  }

  /** Sets it now, and looks again from time to time. A host that does not answer leaves it as it is. */
  async follow(): Promise<void> {
    // What runs already is to see no jump.
    const offset = await this.#correct(this.#hasRun ? STEP_MS : 0);
    this.#hasRun ||= offset !== undefined;
    this.#interval = SOON_MS;
    this.#lookAgain();
  }

  #lookAgain(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void this.#correct(STEP_MS).then((offset = 0) => {
        const good = Math.abs(offset) <= GOOD_MS;
        this.#interval = good ? Math.min(2 * this.#interval, LATE_MS) : SOON_MS;
        this.#lookAgain();
      });
    }, this.#interval).unref();
  }

  /** @param slewed what is less is not set at once; @returns how much it was behind, in milliseconds */
  async #correct(slewed: number): Promise<number | undefined> {
    const measured = await this.#measure();
    if (measured === undefined) return undefined;
    const { offset, uncertainty } = measured;
    // A busy machine answers late: its possible error is too large to be of use.
    if (Math.abs(offset) <= Math.max(GOOD_MS, slewed === 0 ? 0 : uncertainty)) return 0;
    if (Math.abs(offset) >= slewed) this.#system.step(offset);
    else this.#system.slew(offset);
    return offset;
  }

  async #measure(): Promise<{ offset: number; uncertainty: number } | undefined> {
    let stream: Duplex | undefined;
    const timer = setTimeout(() => stream?.destroy(), DEADLINE_MS);
    try {
      stream = await this.#openStream();
      stream.on("error", () => undefined);
      let best: { offset: number; uncertainty: number } | undefined;
      for (let asked = 0; asked < MAX_QUESTIONS; asked += 1) {
        if (asked >= MIN_QUESTIONS && best !== undefined && best.uncertainty <= EXACT_MS) break;
        const before = performance.now();
        const time = await askTime(stream);
        const uncertainty = (performance.now() - before) / 2;
        if (time === undefined) break;
        const offset = time + uncertainty - this.#system.now();
        if (best === undefined || uncertainty < best.uncertainty) best = { offset, uncertainty };
      }
      return best;
    } catch (error) {
      log(`the host's time is not known: ${String(error)}`);
      return undefined;
    } finally {
      clearTimeout(timer);
      stream?.destroy();
    }
  }
}
