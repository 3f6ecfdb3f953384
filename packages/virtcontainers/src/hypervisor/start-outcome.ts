import type { Socket } from "node:net";
import type { StartOutcome } from "@kata-ts/proxy";

/** What a kata-proxy says of a start; undefined when it ends, or is silent for so long. The pipe stays open otherwise. */
export async function outcomeOf(control: Socket, deadlineMs: number): Promise<StartOutcome | undefined> {
  const timer = setTimeout(() => control.destroy(), deadlineMs);
  let text = "";
  try {
    for await (const chunk of control.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      if (text.includes("\n")) break;
    }
  } catch {
    // It was too late, and its pipe was closed.
  }
  clearTimeout(timer);
  return text.includes("\n") ? (JSON.parse(text) as StartOutcome) : undefined;
}
