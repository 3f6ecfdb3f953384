import { call } from "./native.ts";

const SIG_UNBLOCK = 1;
const SIGNAL_SET_BYTES = 128;

/**
 * Lets the calling thread receive a signal again. Node started with `--disable-sigusr1` keeps SIGUSR1 blocked, also
 * from handlers: unblock it once one is there.
 */
export function unblockSignal(signal: number): void {
  const set = Buffer.alloc(SIGNAL_SET_BYTES);
  const bit = signal - 1;
  set.writeUInt8(1 << (bit % 8), Math.floor(bit / 8));
  const signature = "int pthread_sigmask(int how, const void *set, void *old)";
  call(signature, String(signal), SIG_UNBLOCK, set, null);
}
