import { epollControl, epollCreate, epollWait } from "kata:native";
import { ERRORS } from "../errno.ts";
import { systemError } from "../errors.ts";
import { invoke } from "./ticks.ts";

export const READABLE = 0x001;
export const WRITABLE = 0x004;
/** Told also where it was not asked for. */
export const FAILED = 0x008;
export const HUNG_UP = 0x010;

const ADD = 1;
const DELETE = 2;
const MODIFY = 3;
const [EPERM] = ERRORS.EPERM;
const [EINTR] = ERRORS.EINTR;

const epoll: { fd: number } = { fd: -1 };
const found: Int32Array = new Int32Array(128);
const watches: Map<number, Watch> = new Map();
/** What epoll does not know yet: streams stop and start many times between two waits. */
const changed: Set<Watch> = new Set();
/** Regular files and /dev/null, which epoll refuses: always ready. */
const always: Set<Watch> = new Set();
let referenced = 0;

/** A descriptor, and what is waited for. */
export class Watch {
  readonly fd: number;
  readonly #onReady: (events: number) => void;
  #wanted = 0;
  #known = 0;
  #isReferenced = true;
  #isClosed = false;

  constructor(fd: number, onReady: (events: number) => void) {
    this.fd = fd;
    this.#onReady = onReady;
  }

  /** @param events READABLE and WRITABLE, or 0: then nothing is told, not even a hang-up */
  want(events: number): void {
    if (this.#isClosed || events === this.#wanted) return;
    if ((this.#wanted === 0) !== (events === 0)) this.#count(events === 0 ? -1 : 1);
    this.#wanted = events;
    changed.add(this);
  }

  get wanted(): number {
    return this.#wanted;
  }

  /** Whether it keeps the program running while something is waited for. */
  reference(isReferenced: boolean): void {
    if (isReferenced === this.#isReferenced) return;
    const active = this.#wanted !== 0 && !this.#isClosed;
    if (active) this.#count(-1);
    this.#isReferenced = isReferenced;
    if (active) this.#count(1);
  }

  /** Before close(2): the number may come back at once. */
  close(): void {
    if (this.#isClosed) return;
    this.want(0);
    this.flush();
    changed.delete(this);
    this.#isClosed = true;
  }

  /** Tells epoll what is wanted. */
  flush(): void {
    const events = this.#wanted;
    if (events === this.#known) return;
    const operation = this.#known === 0 ? ADD : events === 0 ? DELETE : MODIFY;
    const wasKnown = this.#known;
    this.#known = events;
    if (always.has(this)) {
      if (events === 0) always.delete(this);
      return;
    }
    if (epoll.fd < 0) epoll.fd = epollCreate();
    const result = epollControl(epoll.fd, operation, this.fd, events);
    if (operation === DELETE) watches.delete(this.fd);
    else watches.set(this.fd, this);
    if (result === -EPERM) {
      watches.delete(this.fd);
      always.add(this);
    } else if (result < 0 && operation !== DELETE) {
      this.#known = wasKnown;
      throw systemError(-result, "epoll_ctl");
    }
  }

  tell(events: number): void {
    if (this.#wanted === 0 || this.#isClosed) return;
    invoke(() => {
      this.#onReady(events);
    });
  }

  #count(change: number): void {
    if (this.#isReferenced) referenced += change;
  }
}

/** Whether the program goes on for a descriptor's sake. */
export function isPolling(): boolean {
  return referenced > 0;
}

/** Waits until something is ready, at most so many milliseconds; without a limit where they are negative. */
export function poll(milliseconds: number): void {
  for (const watch of changed) watch.flush();
  changed.clear();
  const ready = [...always];
  if (epoll.fd < 0) epoll.fd = epollCreate();
  const count = epollWait(epoll.fd, found, ready.length > 0 ? 0 : milliseconds);
  if (count < 0 && count !== -EINTR) throw systemError(-count, "epoll_wait");
  const told: [Watch | undefined, number][] = [];
  for (let index = 0; index < count; index++) {
    told.push([watches.get(found[2 * index] ?? -1), found[2 * index + 1] ?? 0]);
  }
  for (const [watch, events] of told) watch?.tell(events);
  for (const watch of ready) watch.tell(watch.wanted);
}
