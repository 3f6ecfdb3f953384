import { read } from "kata:native";
import { Buffer } from "../buffer.ts";
import { libc } from "../libc.ts";
import { READABLE, Watch } from "../loop/poll.ts";
import { invoke } from "../loop/ticks.ts";

const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIGNALFD_FLAGS = 0o2004000; // SFD_CLOEXEC | SFD_NONBLOCK
const INFO_BYTES = 128;
/** What comes while these are heard waits for the next turn, or a program that signals itself would hear of nothing else. */
const SIGNALS_A_TURN = 32;
/** sigset_t of the C library; the kernel reads eight bytes of it. */
const SET_BYTES = 128;

type Handler = (signal: number) => void;

const handlers: Map<number, Set<Handler>> = new Map();
let watch: Watch | undefined;

/** Calls a function with a signal's number each time it comes; until then it does what it does by default. */
export function watchSignal(signal: number, handler: Handler): void {
  const known = handlers.get(signal);
  if (known !== undefined) {
    known.add(handler);
    return;
  }
  handlers.set(signal, new Set([handler]));
  libc("sigprocmask", SIG_BLOCK, setOf([signal]), null);
  update();
}

export function unwatchSignal(signal: number, handler: Handler): void {
  const known = handlers.get(signal);
  if (known?.delete(handler) !== true || known.size > 0) return;
  handlers.delete(signal);
  update();
  libc("sigprocmask", SIG_UNBLOCK, setOf([signal]), null);
}

/** Signals are read of a descriptor: no handler in C interrupts anything. */
function update(): void {
  const fd = libc("signalfd", watch?.fd ?? -1, setOf([...handlers.keys()]), SIGNALFD_FLAGS);
  if (watch !== undefined) return;
  watch = new Watch(fd, () => {
    takeSignals(fd);
  });
  watch.reference(false);
  watch.want(READABLE);
}

function takeSignals(fd: number): void {
  const infos = Buffer.alloc(SIGNALS_A_TURN * INFO_BYTES);
  const count = read(fd, infos, 0, infos.length, -1);
  for (let at = 0; at < count; at += INFO_BYTES) {
    const signal = infos.readUInt32LE(at);
    for (const handler of handlers.get(signal) ?? []) {
      invoke(() => {
        handler(signal);
      });
    }
  }
}

function setOf(signals: readonly number[]): Buffer {
  const set = Buffer.alloc(SET_BYTES);
  for (const signal of signals) {
    const bit = signal - 1;
    const at = bit >> 3;
    set[at] = (set[at] ?? 0) | (1 << (bit & 7));
  }
  return set;
}
