import { monotonicTime } from "kata:native";
import { invoke } from "./ticks.ts";

const LONGEST = 2 ** 31 - 1;

/** What the loop waits for, unless it is unreferenced. */
class Waited {
  isReferenced = true;
  isCleared = false;

  ref(): this {
    this.isReferenced = true;
    return this;
  }

  unref(): this {
    this.isReferenced = false;
    return this;
  }

  hasRef(): boolean {
    return this.isReferenced;
  }
}

/** A timer as Node gives it: an object, and a number where one is wanted. */
export class Timeout extends Waited {
  readonly id: number;
  readonly repeats: boolean;
  readonly callback: () => void;
  readonly delay: number;
  /** When it is due; undefined while it is not set. */
  due: number | undefined;

  constructor(callback: () => void, delay: number, repeats: boolean) {
    super();
    this.id = ++count;
    this.callback = callback;
    this.delay = delay >= 1 && delay <= LONGEST ? Math.trunc(delay) : 1;
    this.repeats = repeats;
    this.refresh();
  }

  refresh(): this {
    if (this.isCleared) return this;
    this.due = monotonicTime() + this.delay;
    insert(this);
    return this;
  }

  close(): this {
    clearTimeout(this);
    return this;
  }

  [Symbol.toPrimitive](): number {
    return this.id;
  }

  [Symbol.dispose](): void {
    clearTimeout(this);
  }
}

export class Immediate extends Waited {
  readonly callback: () => void;

  constructor(callback: () => void) {
    super();
    this.callback = callback;
  }

  [Symbol.dispose](): void {
    clearImmediate(this);
  }
}

let count = 0;
/** By due time; those of the same time in the order in which they were set. */
let pending: Timeout[] = [];
let immediates: Set<Immediate> = new Set();

export function setTimeout<Args extends unknown[]>(
  callback: (...args: Args) => void,
  delay = 1,
  ...args: Args
): Timeout {
  return new Timeout(
    () => {
      callback(...args);
    },
    delay,
    false,
  );
}

export function setInterval<Args extends unknown[]>(
  callback: (...args: Args) => void,
  delay = 1,
  ...args: Args
): Timeout {
  return new Timeout(
    () => {
      callback(...args);
    },
    delay,
    true,
  );
}

export function clearTimeout(timer: Timeout | number | string | null | undefined): void {
  const found = timer instanceof Timeout ? timer : pending.find(({ id }) => id === Number(timer));
  if (found === undefined) return;
  found.isCleared = true;
  found.due = undefined;
  pending = pending.filter((each) => each !== found);
}

export function clearInterval(timer: Parameters<typeof clearTimeout>[0]): void {
  clearTimeout(timer);
}

export function setImmediate<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): Immediate {
  const immediate = new Immediate(() => {
    callback(...args);
  });
  immediates.add(immediate);
  return immediate;
}

export function clearImmediate(immediate: Immediate | null | undefined): void {
  if (!(immediate instanceof Immediate)) return;
  immediate.isCleared = true;
  immediates.delete(immediate);
}

export function runTimers(): void {
  const now = monotonicTime();
  for (let timer = pending[0]; timer?.due !== undefined && timer.due <= now; timer = pending[0]) {
    pending.shift();
    timer.due = undefined;
    const due = timer;
    invoke(due.callback);
    // Its own callback may have set or cleared it.
    if (due.repeats && due.due === undefined && !due.isCleared) due.refresh();
  }
}

/** Those that wait now; one set by these comes next time. */
export function runImmediates(): void {
  const now = immediates;
  immediates = new Set();
  for (const immediate of now) if (!immediate.isCleared) invoke(immediate.callback);
}

export function hasImmediates(): boolean {
  return immediates.size > 0;
}

export function isTiming(): boolean {
  return pending.some(({ isReferenced }) => isReferenced) || [...immediates].some(({ isReferenced }) => isReferenced);
}

/** Milliseconds until the next timer is due, rounded up; -1 without one. */
export function untilNextTimer(): number {
  const due = pending[0]?.due;
  return due === undefined ? -1 : Math.max(0, Math.ceil(due - monotonicTime()));
}

function insert(timer: Timeout): void {
  const due = timer.due ?? 0;
  pending = pending.filter((each) => each !== timer);
  let at = pending.length;
  while (at > 0 && (pending[at - 1]?.due ?? 0) > due) at -= 1;
  pending.splice(at, 0, timer);
}
