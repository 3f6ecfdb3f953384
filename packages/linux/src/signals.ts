import { createHook } from "node:async_hooks";
import { zeroed } from "./abi.ts";
import { call } from "./native.ts";

const SIG_UNBLOCK = 1;

/**
 * Lets the calling thread receive a signal again. Node started with `--disable-sigusr1` keeps SIGUSR1 blocked, also
 * from handlers: unblock it once one is there.
 */
export function unblockSignal(signal: number): void {
  const set = zeroed("sigset_t");
  const bit = signal - 1;
  set.writeUInt8(1 << (bit % 8), Math.floor(bit / 8));
  const signature = "int pthread_sigmask(int how, const void *set, void *old)";
  call(signature, String(signal), SIG_UNBLOCK, set, null);
}

/** SIGRTMIN to SIGRTMAX of glibc, which keeps 32 and 33 to itself. */
const REAL_TIME: readonly number[] = Array.from({ length: 31 }, (_, index) => 34 + index);

/**
 * Calls a function with the number of each real-time signal that this process gets from now on. `process.on` knows
 * signals by their names only, and Node has none for these.
 *
 * @throws Error where SIGURG is listened to already
 */
export function onRealTimeSignals(handler: (signal: number) => void): void {
  const SignalWatch = signalWatchClass();
  for (const number of REAL_TIME) {
    const watch = new SignalWatch();
    watch.unref();
    watch.onsignal = handler;
    const failure = watch.start(number);
    if (failure < 0) throw new Error(`signal ${String(number)} cannot be watched (${String(failure)})`);
  }
}

/** What Node makes for each signal that is listened to. */
interface SignalWatch {
  onsignal: (signal: number) => void;
  /** @returns 0, or libuv's error */
  start(signal: number): number;
  /** It keeps the process from nothing, least of all from ending. */
  unref(): void;
}

/** Node exports no such class, but calls async_hooks for each of its objects. By default SIGURG does nothing. */
function signalWatchClass(): new () => SignalWatch {
  let found: (new () => SignalWatch) | undefined;
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === "SIGNALWRAP") found = resource.constructor as new () => SignalWatch;
    },
  }).enable();
  const nothing = (): void => undefined;
  process.on("SIGURG", nothing);
  hook.disable();
  process.off("SIGURG", nothing);
  if (found === undefined) throw new Error("real-time signals have to be listened to before SIGURG");
  return found;
}
