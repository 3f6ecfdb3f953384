import { type Argument, read, threadResult, threadStart } from "kata:native";
import { Buffer } from "./buffer.ts";
import { systemError } from "./errors.ts";
import { libc } from "./libc.ts";
import { READABLE, Watch } from "./loop/poll.ts";

const PIPE_FLAGS = 0o2004000; // O_CLOEXEC | O_NONBLOCK

const waiting: Map<number, (result: number) => void> = new Map();
let notifications: { readonly watch: Watch; readonly write: number } | undefined;

/** Calls a libc function in another thread. @returns its result, or the negative number of its error */
export function callInThread(libcFunction: number, args: readonly Argument[]): Promise<number> {
  notifications ??= openNotifications();
  const { watch, write } = notifications;
  const number = threadStart(write, libcFunction, ...args);
  if (number < 0) return Promise.reject(systemError(-number, "pthread_create"));
  watch.reference(true);
  return new Promise((resolve) => {
    waiting.set(number, resolve);
  });
}

function openNotifications(): NonNullable<typeof notifications> {
  const ends = Buffer.alloc(8);
  libc("pipe2", ends, PIPE_FLAGS);
  const [from, write] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  const numbers = Buffer.alloc(64);
  const watch = new Watch(from, () => {
    const count = Math.max(0, read(from, numbers, 0, numbers.length, -1));
    for (const number of numbers.subarray(0, count)) {
      waiting.get(number)?.(threadResult(number));
      waiting.delete(number);
    }
    watch.reference(waiting.size > 0);
  });
  watch.want(READABLE);
  return { watch, write };
}
