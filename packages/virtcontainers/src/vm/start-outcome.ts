import type { Socket } from "node:net";
import { isAtWork } from "@kata-ts/linux";
import { parseShape } from "@kata-ts/linux/shape";
import { type StartOutcome, startOutcome } from "@kata-ts/proxy";

/** How long a kata-proxy may be silent. */
export interface Patience {
  /** Its pid; unknown is one that ended a moment ago. */
  readonly pid: number | undefined;
  /**
   * Of silence. In the second half of it, time in which the proxy or a process of its VM works, or waits for a processor or a disk,
   * does not count: a host that has no time for a VM is slow, and its proxy does not hang.
   */
  readonly silenceMs: number;
}

/** A proxy that is always at work is given up, too, after this many times its silence. */
const MOST_SILENCES = 12;
const SAMPLES = 20;

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

/** Time is counted in samples: a call that got no processor itself meanwhile has missed one, and finds the answer. */
function endWhenSilent(control: Socket, { pid, silenceMs }: Patience): Disposable {
  let [silent, all] = [0, 0];
  const timer = setInterval(() => {
    all += 1;
    const isExcused = silent >= SAMPLES / 2 && pid !== undefined && isAtWork(pid);
    if (!isExcused) silent += 1;
    if (silent >= SAMPLES || all >= SAMPLES * MOST_SILENCES) control.destroy();
  }, silenceMs / SAMPLES);
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
