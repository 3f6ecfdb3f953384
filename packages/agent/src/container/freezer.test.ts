import { expect, it } from "vitest";
import { Freezer } from "./freezer.ts";

/** What was done with the processes, which fails where it changes nothing, as the runtime's own calls do. */
class Processes {
  readonly done: string[] = [];
  #frozen = false;
  /** Awaited by each step before it has done anything. */
  ready: Promise<void> = Promise.resolve();

  async freeze(): Promise<void> {
    await this.#change("freeze", true);
  }

  async thaw(): Promise<void> {
    await this.#change("thaw", false);
  }

  async #change(step: string, frozen: boolean): Promise<void> {
    await this.ready;
    if (frozen === this.#frozen) throw new Error(`cannot ${step}: it changes nothing`);
    this.#frozen = frozen;
    this.done.push(step);
  }
}

it("lets processes go on that stand still, and leaves alone those that run", async () => {
  const processes = new Processes();
  const freezer = new Freezer(processes);
  await freezer.thaw();
  await freezer.freeze();
  await freezer.thaw();
  await freezer.thaw();
  expect(processes.done).toEqual(["freeze", "thaw"]);
});

it("lets processes go on that another call is just freezing", async () => {
  const processes = new Processes();
  const { promise, resolve } = Promise.withResolvers<void>();
  processes.ready = promise;
  const freezer = new Freezer(processes);
  const calls = [freezer.freeze(), freezer.thaw()];
  resolve();
  await Promise.all(calls);
  expect(processes.done).toEqual(["freeze", "thaw"]);
});

it("has its next call done when one has failed", async () => {
  const processes = new Processes();
  const freezer = new Freezer(processes);
  await freezer.freeze();
  await expect(freezer.freeze()).rejects.toThrow("changes nothing");
  await freezer.thaw();
  expect(processes.done).toEqual(["freeze", "thaw"]);
});

it("lets processes go on where a call has frozen them and failed then", async () => {
  const processes = new Processes();
  const freeze = async (): Promise<void> => {
    await processes.freeze();
    throw new Error("it took too long");
  };
  const freezer = new Freezer({ freeze, thaw: () => processes.thaw() });
  await expect(freezer.freeze()).rejects.toThrow("too long");
  expect(processes.done).toEqual(["freeze", "thaw"]);
});
