import type { Options } from "../config/options.ts";
import type { CallLog } from "./call-log.ts";
import type { AgentTraceType, Tracing } from "./tracing.ts";

/** Where a call reports what it does. The configuration, which is read during the call, adds to it. */
export interface Observation {
  readonly log: CallLog;
  tracing?: Tracing;
}

/** Loads what writes to the host's log and to a collector of traces, where a configuration asks for it. */
export async function observe(options: Options, observation: Observation): Promise<void> {
  await Promise.all([toSystemLog(options, observation.log), toCollector(options, observation)]);
}

async function toSystemLog({ runtime }: Options, log: CallLog): Promise<void> {
  const kind = runtime?.system_log ?? "";
  if (kind === "") return;
  const { SystemLog } = await import("./system-log.ts");
  const warn = (message: string): void => {
    log.warning(message);
  };
  log.alsoTo(new SystemLog(kind, warn));
}

const ENDPOINT = "http://localhost:4318";

async function toCollector({ runtime, shim, agent }: Options, observation: Observation): Promise<void> {
  const ofAgent = agent?.kata?.enable_tracing === true;
  if (runtime?.enable_tracing !== true && shim?.kata?.enable_tracing !== true && !ofAgent) return;
  const { Tracing } = await import("./tracing.ts");
  const named = agent?.kata?.trace_type ?? "";
  const type: AgentTraceType = named === "" ? "isolated" : named;
  const endpoint = runtime?.trace_endpoint ?? "";
  observation.tracing = new Tracing({
    endpoint: endpoint === "" ? ENDPOINT : endpoint,
    ...(ofAgent ? { agent: type } : {}),
  });
}
