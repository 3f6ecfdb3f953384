import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Forwarder, Happened } from "./forwarders.ts";
import { Publisher } from "./publisher.ts";
import type { TaskEvent } from "./task-events.ts";

class FakeContainerd implements Forwarder {
  readonly taken: string[] = [];
  isThere = true;

  async forward({ event }: Happened): Promise<void> {
    await delay(1);
    if (!this.isThere) throw new Error("it is being restarted");
    this.taken.push(event.topic);
  }

  [Symbol.dispose](): void {
    // There is nothing to close.
  }
}

function event(topic: string): TaskEvent {
  return { topic, type: "example", message: new Uint8Array() };
}

describe("publishing events", () => {
  it("keeps their order, and ends when all were taken", async () => {
    const containerd = new FakeContainerd();
    const publisher = new Publisher(containerd, () => undefined);
    for (let index = 0; index < 20; index += 1) publisher.publish(event(String(index)));
    await publisher[Symbol.asyncDispose]();
    expect(containerd.taken).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
  });

  it("loses none while containerd is away", async () => {
    const containerd = new FakeContainerd();
    const waits = Promise.withResolvers<string>();
    const publisher = new Publisher(containerd, (message) => {
      waits.resolve(message);
    });
    containerd.isThere = false;
    publisher.publish(event("first"));
    publisher.publish(event("second"));
    expect(await waits.promise).toContain("first waits");
    containerd.isThere = true;
    await publisher[Symbol.asyncDispose]();
    expect(containerd.taken).toEqual(["first", "second"]);
  });

  it("keeps the latest when there are too many", async () => {
    const containerd = new FakeContainerd();
    const publisher = new Publisher(containerd, () => undefined);
    for (let index = 0; index < 2_100; index += 1) publisher.publish(event(String(index)));
    await publisher[Symbol.asyncDispose]();
    expect(containerd.taken.at(-1)).toBe("2099");
    expect(containerd.taken).not.toContain("10");
  });
});
