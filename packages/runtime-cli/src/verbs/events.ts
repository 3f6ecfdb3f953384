import { openForExisting } from "@kata-ts/runtime";
import { containerStats, hostOomOf, oomEvents, watchStopped } from "@kata-ts/virtcontainers";
import { parseDuration } from "../arguments/duration.ts";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { statsView } from "../output/stats.ts";
import { onlyId } from "./required.ts";

const INTERVAL = "5s";

export const manual: Manual = {
  operands: "CONTAINER",
  options: {
    interval: { type: "string", value: "TIME", about: "time between figures, 5s by default" },
    stats: { type: "boolean", about: "figures once, then end" },
  },
};

/** One JSON object a line: the figures of the container's cgroup in the guest, and each time it ran out of memory. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const id = onlyId("events", words);
  const intervalMs = parseDuration(options.text("interval") ?? INTERVAL);
  if (intervalMs <= 0) throw new UsageError("duration interval must be greater than 0");
  const ports = await (await openForExisting(context, id)).ports("store", "hypervisor", "connectAgent");
  const tell = (type: string, data?: object): void => {
    print(`${JSON.stringify({ type, id, data })}\n`);
  };
  tell("stats", statsView(await containerStats(id, ports)));
  if (options.flag("stats")) return 0;
  const stopped = new AbortController();
  const watching = oomEvents(id, ports, stopped.signal, () => {
    tell("oom");
  });
  watching.catch(() => undefined); // It has stopped meanwhile, which ends all of this.
  await watchStopped(id, ports, intervalMs, async () => {
    tell("stats", statsView(await containerStats(id, ports)));
  });
  stopped.abort();
  if (await hostOomOf(id, ports)) tell("oom");
  return 0;
};
