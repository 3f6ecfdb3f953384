import type { Socket } from "node:net";
import { parseShape } from "@kata-ts/linux/shape";
import { type StartOutcome, startOutcome } from "@kata-ts/proxy";

/**
 * What a kata-proxy answers to a start; undefined when it ends, or is silent for so long. The pipe stays open otherwise.
 * Another answer is a failure, so that the caller ends the proxy as after any other.
 */
export async function outcomeOf(control: Socket, deadlineMs: number): Promise<StartOutcome | undefined> {
  const timer = setTimeout(() => control.destroy(), deadlineMs);
  let text = "";
  try {
    for await (const chunk of control.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      if (text.includes("\n")) break;
    }
  } catch {
    // The answer came too late: the timer closed the pipe.
  }
  clearTimeout(timer);
  return text.includes("\n") ? parseOutcome(text) : undefined;
}

function parseOutcome(text: string): StartOutcome {
  try {
    return parseShape(startOutcome, text, "the answer");
  } catch (error) {
    return { ok: false, code: "KATA_PROXY", message: `its answer cannot be used: ${(error as Error).message}` };
  }
}
