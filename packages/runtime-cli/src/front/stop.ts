import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { RuntimePorts } from "@kata-ts/runtime";
import { openForExisting } from "@kata-ts/runtime";
import { type ContainerId, deleteContainer, KataError, killContainer, statusOf } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { FrontBundle } from "./bundle.ts";
import { eachContainer } from "./each-container.ts";

export const manual: Manual = {
  operands: "NAME …",
  options: { time: { type: "string", short: "t", value: "SECONDS", about: "patience before force, 10 by default" } },
};

const PATIENCE_SECONDS = "10";
const POLL_MS = 50;

/** The process that started a container cleans up after it; after a detached container, this does. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const patience = options.text("time") ?? PATIENCE_SECONDS;
  if (!/^\d{1,6}$/.test(patience)) throw new UsageError(`--time takes seconds, not "${patience}"`);
  return eachContainer("stop", words, context, (id) => stop(id, Number(patience) * 1000, context));
};

async function stop(id: ContainerId, patienceMs: number, context: Context): Promise<void> {
  const runtime = await openForExisting(context, id);
  const ports = await runtime.ports("store", "hypervisor", "cgroups", "connectAgent");
  const bundle = FrontBundle.detached(id);
  const stopped = await end(id, patienceMs, ports);
  if (bundle !== undefined) {
    await deleteContainer(id, { force: true }, ports);
    await bundle[Symbol.asyncDispose]();
  } else if (!stopped) {
    throw new KataError("KATA_STATE", `${id} does not end, even by SIGKILL`);
  }
}

type StopPorts = RuntimePorts<"store" | "hypervisor" | "cgroups" | "connectAgent">;

async function end(id: ContainerId, patienceMs: number, ports: StopPorts): Promise<boolean> {
  const record = await ports.store.read(id);
  if (statusOf(record) === "stopped") return true;
  await killContainer(id, FrontBundle.stopSignal(id) ?? constants.signals.SIGTERM, false, ports);
  if (await hasStopped(id, ports, patienceMs)) return true;
  await killContainer(id, constants.signals.SIGKILL, true, ports);
  return hasStopped(id, ports, Number(PATIENCE_SECONDS) * 1000);
}

async function hasStopped(id: ContainerId, { store }: Pick<StopPorts, "store">, patienceMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const record = await store.read(id).catch(() => undefined);
    if (record === undefined || statusOf(record) === "stopped") return true;
    if (performance.now() >= giveUpAt) return false;
    await delay(POLL_MS);
  }
}
