import type { Socket } from "node:net";
import { Silence } from "@kata-ts/linux";
import { parseShape } from "@kata-ts/linux/shape";
import { type StartOutcome, startOutcome } from "@kata-ts/proxy";

/** How long a kata-proxy may be silent. */
export interface Patience {
  /** Its pid; unknown is one that ended a moment ago. */
  readonly pid: number | undefined;
  /** As Silence counts it, over the proxy and the processes of its VM. */
  readonly silenceMs: number;
}

/**
 * What a kata-proxy answers to a start; undefined when it ends, or is silent for so long. The pipe stays open otherwise.
 * Another answer is a failure, so that the caller ends the proxy as after any other.
 */
export async function outcomeOf(control: Socket, patience: Patience): Promise<StartOutcome | undefined> {
  using _limit = endWhenSilent(control, patience);
  let text = "";
  try {
    for await (const chunk of control.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      if (text.includes("\n")) break;
    }
  } catch {
    // The answer came too late: the pipe was closed.
  }
  return text.includes("\n") ? parseOutcome(text) : undefined;
}

function endWhenSilent(control: Socket, { pid, silenceMs }: Patience): Disposable {
  const silence = new Silence(pid, silenceMs);
  const timer = setInterval(() => {
    if (silence.isOver()) control.destroy();
  }, silence.sampleMs);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
    },
  };
}

function parseOutcome(text: string): StartOutcome {
  try {
    return parseShape(startOutcome, text, "the answer");
  } catch (error) {
    return { ok: false, code: "KATA_PROXY", message: `its answer cannot be used: ${(error as Error).message}` };
  }
}
