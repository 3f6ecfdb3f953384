import type { Call, Caller } from "./caller.ts";
import { calls } from "./calls.ts";
import { AgentRpcError, RpcStatus } from "./errors.ts";
import { shareOfHost } from "./host-load.ts";

/** So many missed beats are a silence. Beats are counted, not time: a host that was suspended has missed one. */
const SILENT_BEATS = 4;

/**
 * Gives up calls to an agent that answers nothing at all any more, which is sooner than at their deadlines: those leave
 * time for work. On a host that has no time for its VMs an agent may be silent for longer, up to the deadline.
 */
export class WatchfulCaller implements Caller {
  readonly #caller: Caller;
  readonly #share: () => number;

  /** @param share how much of its due a VM gets from the host now, 1 where that is all */
  constructor(caller: Caller, share: () => number = shareOfHost) {
    this.#caller = caller;
    this.#share = share;
  }

  async call(call: Call): Promise<Uint8Array> {
    const { path, expiresAt, silenceMs } = call;
    if (expiresAt === undefined || silenceMs === undefined || path === calls.check.path) return this.#caller.call(call);
    const silence = new AbortController();
    const given = call.signal === undefined ? [] : [call.signal];
    const ask = (ended: AbortSignal): Promise<void> => askForLife(this.#caller, expiresAt, ended);
    using _watch = watch(ask, this.#share, silenceMs, () => {
      silence.abort();
    });
    try {
      return await this.#caller.call({ ...call, signal: AbortSignal.any([silence.signal, ...given]) });
    } catch (error) {
      throw silence.signal.aborted ? silentError(path) : error;
    }
  }

  close(): void {
    this.#caller.close();
  }
}

/**
 * Asks for a sign of life at each beat, and calls `onSilence` once there has been none for so many of them. A beat in
 * which the agent had half of its due is half a beat.
 */
function watch(
  ask: (ended: AbortSignal) => Promise<void>,
  share: () => number,
  silenceMs: number,
  onSilence: () => void,
): Disposable {
  const over = new AbortController();
  let missed: number | undefined;
  const beat = (): void => {
    if (missed === undefined) {
      missed = 0;
      void ask(over.signal).then(() => {
        missed = undefined;
      });
    } else {
      missed += share();
      if (missed >= SILENT_BEATS - 1) onSilence();
    }
  };
  const beats = setInterval(beat, silenceMs / SILENT_BEATS);
  return {
    [Symbol.dispose]: () => {
      clearInterval(beats);
      over.abort();
    },
  };
}

/** A message of which nothing is set. */
const NO_FIELDS: Uint8Array = new Uint8Array(0);

/** Any answer will do, also that of an agent without this RPC. The question waits as long as the call it is asked for. */
async function askForLife(caller: Caller, expiresAt: number, signal: AbortSignal): Promise<void> {
  const question = { path: calls.check.path, request: NO_FIELDS, expiresAt, signal, waitForReady: false };
  await caller.call(question).catch(() => undefined);
}

function silentError(rpc: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.DeadlineExceeded, "the agent hangs: it gives no sign of life any more", { rpc });
}
