import type { AgentHandlers } from "@kata-ts/agent-protocol";
import { log } from "./log.ts";

/** Streams are read and written too often for a console. */
const QUIET: ReadonlySet<string> = new Set(["readStdout", "readStderr", "writeStdin", "check"]);

type Handler = (...parameters: readonly unknown[]) => Promise<unknown>;

/** Handlers that log each call with the time that it took: `agent.log=debug`. */
export function logCalls(handlers: AgentHandlers, write: (line: string) => void = log): AgentHandlers {
  const entries = Object.entries(handlers as Readonly<Record<string, Handler>>);
  const logged = entries.map(([name, handler]) => [name, QUIET.has(name) ? handler : timed(name, handler, write)]);
  return Object.fromEntries(logged) as AgentHandlers;
}

function timed(name: string, handler: Handler, write: (line: string) => void): Handler {
  return async (...parameters) => {
    const start = performance.now();
    const took = (): string => `${(performance.now() - start).toFixed(0)} ms`;
    try {
      const reply = await handler(...parameters);
      write(`${name}: ${took()}`);
      return reply;
    } catch (error) {
      write(`${name}: failed after ${took()}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  };
}
