import { once } from "node:events";
import { createInterface } from "node:readline";
import { processEnd } from "@kata-ts/linux";
import { FileStore, parseContainerId } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { Interruption } from "../verbs/interruption.ts";
import { failureOf } from "./failure.ts";
import { holdNetwork } from "./held-network.ts";
import { type Answer, type Order, parseOrder } from "./holder-protocol.ts";

export const manual: Manual = {
  operands: "",
  options: {},
  notes: [
    "Started by kata run --detach: keeps a container's network, resolver and published ports, until it has ended.",
  ],
};

/**
 * The process that keeps a detached container's network. It reads its order from standard input, answers, and reads on: the end of its
 * input means that the call which made the container has ended, in whatever way. From then on it lives as long as the container: where there
 * is none, it has nothing to live for.
 */
export const verb: Verb = async (_, { globals }) => {
  using interruption = new Interruption();
  const { signal } = interruption;
  const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const order = parseOrder((await input.next()).value ?? "");
  try {
    await using network = await holdNetwork(order);
    const { address, gateway, ports, warnings } = network;
    answer({ network: { address, gateway, ports, warnings } });
    await Promise.race([input.next(), once(signal, "abort")]);
    if (!signal.aborted) await containerEnd(order, globals.root, signal);
    return 0;
  } catch (error) {
    answer({ failure: failureOf(error).message });
    return 1;
  }
};

function answer(message: Answer): void {
  print(`${JSON.stringify(message)}\n`);
}

async function containerEnd({ id }: Order, root: string, signal: AbortSignal): Promise<void> {
  const record = await new FileStore(root).read(parseContainerId(id)).catch(() => undefined);
  if (record?.shim === undefined) return;
  await processEnd(record.shim, signal).catch(() => undefined);
}
