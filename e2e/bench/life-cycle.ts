import { setTimeout as delay } from "node:timers/promises";
import { identifyProcess, isAlive } from "@kata-ts/linux";
import { Kata } from "../harness/kata.ts";
import { cacheSettled } from "../harness/leaks.ts";
import { compare, median, type Row, timed } from "./measure.ts";
import type { Runtimes } from "./runtimes.ts";

const RUNS = 5;
const STEPS = ["create", "start", "exec true", "kill and delete", "run true"] as const;

type Times = Record<(typeof STEPS)[number], number[]>;

/**
 * A container's life in a VM of its own, booted, cloned from a template, or taken from the cache, beside runc's on the
 * host. The cache is full at the beginning of each, and is not filled meanwhile.
 */
export async function lifeCycle({ booting, cloning, caching }: Runtimes): Promise<Row[]> {
  await using runc = new Kata([], "/usr/sbin/runc");
  const [booted, cloned] = [await measure(booting), await measure(cloning)];
  const [taken, theirs] = [await measure(await caching()), await measure(runc)];
  return STEPS.flatMap((step) => {
    const inBooted: Row = { what: step, value: median(booted[step]), unit: "ms" };
    const inClone: Row = { what: `${step}, from a template`, value: median(cloned[step]), unit: "ms" };
    const inTaken: Row = { what: `${step}, from the cache`, value: median(taken[step]), unit: "ms" };
    const yardstick: Row = { what: `runc ${step}`, value: median(theirs[step]), unit: "ms" };
    return [compare(inBooted, yardstick), compare(inClone, inBooted), compare(inTaken, inBooted), yardstick];
  });
}

async function measure(runtime: Kata): Promise<Times> {
  const times: Times = { create: [], start: [], "exec true": [], "kill and delete": [], "run true": [] };
  const { path } = await runtime.bundle({ args: ["sleep", "1000"] });
  const { path: quick } = await runtime.bundle({ args: ["true"] });
  for (let run = 0; run <= RUNS; run++) {
    const id = runtime.id();
    const one: Record<(typeof STEPS)[number], number> = {
      create: await timedWhenSettled(() => runtime.create(id, path)),
      start: await timedWhenSettled(() => runtime.ok(["start", id])),
      "exec true": await timed(() => runtime.ok(["exec", id, "true"])),
      "kill and delete": await timed(await killAndDelete(runtime, id)),
      "run true": await timedWhenSettled(() => runtime.ok(["run", "--bundle", quick, runtime.id()])),
    };
    if (run > 0) for (const step of STEPS) times[step].push(one[step]);
  }
  return times;
}

async function timedWhenSettled(body: () => Promise<unknown>): Promise<number> {
  await cacheSettled();
  return timed(body);
}

/** Between the two an engine waits for the container's process on the host, which it knows. */
async function killAndDelete(runtime: Kata, id: string): Promise<() => Promise<void>> {
  const process = identifyProcess((await runtime.state(id)).pid);
  return async () => {
    await runtime.ok(["kill", id, "KILL"]);
    while (isAlive(process)) await delay(1);
    await runtime.ok(["delete", id]);
  };
}
