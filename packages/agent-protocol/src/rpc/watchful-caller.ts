import type { Call, Caller } from "./caller.ts";
import { AgentRpcError, RpcStatus } from "./errors.ts";
import { rpcs } from "./rpcs.ts";

/** In how many beats a silence is told. They are counted, not the time: a host that was suspended has missed one. */
const SILENT_BEATS = 4;

/**
 * Gives up calls to an agent that answers nothing at all any more, which is sooner than at their deadlines: those leave
 * time for work.
 */
export class WatchfulCaller implements Caller {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async call(call: Call): Promise<Uint8Array> {
    const { path, expiresAt, silenceMs } = call;
    if (expiresAt === undefined || silenceMs === undefined || path === rpcs.check.path) return this.#caller.call(call);
    const silence = new AbortController();
    const given = call.signal === undefined ? [] : [call.signal];
    using _watch = watch(this.#caller, silenceMs, () => {
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

/** Asks for a sign of life at each beat, and calls `onSilence` once there has been none for so many of them. */
function watch(caller: Caller, silenceMs: number, onSilence: () => void): Disposable {
  const over = new AbortController();
  let missed: number | undefined;
  const beat = (): void => {
    if (missed === undefined) {
      missed = 0;
      void ask(caller, over.signal).then(() => {
        missed = undefined;
      });
    } else if (++missed >= SILENT_BEATS - 1) {
      onSilence();
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

/** Any answer will do, also that of an agent without this RPC. */
async function ask(caller: Caller, signal: AbortSignal): Promise<void> {
  const expiresAt = performance.now() + (rpcs.check.deadlineMs ?? 0);
  const request = rpcs.check.request.encode({}).finish();
  await caller.call({ path: rpcs.check.path, request, expiresAt, signal, waitForReady: false }).catch(() => undefined);
}

function silentError(rpc: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.DeadlineExceeded, "the agent hangs: it gives no sign of life any more", { rpc });
}
