import type { EventEmitter } from "node:events";
import { watchOom } from "../container/stats.ts";
import type { Agent } from "../ports/agent.ts";
import type { SandboxEvents } from "./events.ts";

/** `oom` is emitted from when a caller first listens for it: the guest is asked for nothing before. */
export function emitOomOnceHeard(
  events: EventEmitter<SandboxEvents>,
  agent: Agent,
  { isKnown, signal }: { readonly isKnown: (containerId: string) => boolean; readonly signal: AbortSignal },
): void {
  const onListener = (event: string | symbol): void => {
    if (event !== "oom") return;
    events.off("newListener", onListener);
    const onOom = (containerId: string): void => {
      events.emit("oom", { containerId });
    };
    void watchOom(agent, isKnown, { signal, onOom });
  };
  events.on("newListener", onListener);
}
