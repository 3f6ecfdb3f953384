import { nodeError } from "./errors.ts";
import { once as onceOf, on as onOf } from "./events-async.ts";

type Listener = ((...args: never[]) => unknown) & { readonly listener?: Listener };
type Name = string | symbol;

const LISTENERS: unique symbol = Symbol("listeners");

interface Holder {
  [LISTENERS]?: Map<Name, readonly Listener[]>;
}

/**
 * Lists are replaced, never changed: an emit goes on with the list that it began with. Methods call each other where Node's do:
 * streams override some.
 */
class Emitter {
  on(name: Name, listener: Listener): this {
    return add(this, name, listener, false);
  }

  once(name: Name, listener: Listener): this {
    return this.on(name, onceOnly(this, name, listener));
  }

  prependListener(name: Name, listener: Listener): this {
    return add(this, name, listener, true);
  }

  prependOnceListener(name: Name, listener: Listener): this {
    return this.prependListener(name, onceOnly(this, name, listener));
  }

  addListener(name: Name, listener: Listener): this {
    return this.on(name, listener);
  }

  off(name: Name, listener: Listener): this {
    return this.removeListener(name, listener);
  }

  removeListener(name: Name, listener: Listener): this {
    const list = listOf(this, name);
    const at = list.findLastIndex((each) => each === listener || each.listener === listener);
    if (at === -1) return this;
    if (list.length === 1) listsOf(this).delete(name);
    else listsOf(this).set(name, list.toSpliced(at, 1));
    if (listOf(this, "removeListener").length > 0) this.emit("removeListener", name, listener);
    return this;
  }

  removeAllListeners(name?: Name): this {
    const lists = listsOf(this);
    if (!lists.has("removeListener")) {
      if (name === undefined) lists.clear();
      else lists.delete(name);
      return this;
    }
    for (const each of name === undefined ? [...lists.keys()] : [name]) {
      if (each === "removeListener" && name === undefined) continue;
      for (const listener of listOf(this, each).toReversed()) this.removeListener(each, listener);
    }
    if (name === undefined) lists.clear();
    return this;
  }

  emit(name: Name, ...args: unknown[]): boolean {
    const list = listOf(this, name);
    if (list.length === 0) {
      if (name === "error") throw unhandled(args[0]);
      return false;
    }
    for (const listener of list) Reflect.apply(listener, this, args);
    return true;
  }

  listenerCount(name: Name, listener?: Listener): number {
    const list = listOf(this, name);
    if (listener === undefined) return list.length;
    return list.filter((each) => each === listener || each.listener === listener).length;
  }

  listeners(name: Name): Listener[] {
    return listOf(this, name).map((each) => each.listener ?? each);
  }

  rawListeners(name: Name): Listener[] {
    return [...listOf(this, name)];
  }

  eventNames(): Name[] {
    return [...listsOf(this).keys()];
  }

  setMaxListeners(count: number): this {
    Object.assign(this, { _maxListeners: count });
    return this;
  }

  getMaxListeners(): number {
    return (this as { _maxListeners?: number })._maxListeners ?? 10;
  }
}

function onceOnly(emitter: Emitter, name: Name, listener: Listener): Listener {
  checkListener(listener);
  let isOver = false;
  const wrapper = (...args: unknown[]): unknown => {
    if (isOver) return undefined;
    isOver = true;
    emitter.removeListener(name, wrapper);
    return Reflect.apply(listener, emitter, args);
  };
  return Object.assign(wrapper, { listener });
}

function checkListener(listener: unknown): void {
  if (typeof listener === "function") return;
  throw nodeError("ERR_INVALID_ARG_TYPE", 'The "listener" argument must be of type function.', TypeError);
}

function listsOf(holder: object): Map<Name, readonly Listener[]> {
  const emitter: Holder = holder;
  // What was made by another prototype's constructor has none yet, and one of the prototype is not its own.
  if (!Object.hasOwn(emitter, LISTENERS)) {
    Object.defineProperty(emitter, LISTENERS, { value: new Map(), enumerable: false });
  }
  return emitter[LISTENERS] ?? new Map<Name, readonly Listener[]>();
}

const NONE: readonly Listener[] = [];

function listOf(emitter: object, name: Name): readonly Listener[] {
  return (emitter as Holder)[LISTENERS]?.get(name) ?? NONE;
}

function add<T extends Emitter>(emitter: T, name: Name, listener: Listener, first: boolean): T {
  checkListener(listener);
  if (listOf(emitter, "newListener").length > 0) emitter.emit("newListener", name, listener.listener ?? listener);
  const list = listOf(emitter, name);
  listsOf(emitter).set(name, first ? [listener, ...list] : [...list, listener]);
  return emitter;
}

function unhandled(error: unknown): unknown {
  if (error instanceof Error) return error;
  const made = nodeError("ERR_UNHANDLED_ERROR", `Unhandled error. (${String(error)})`);
  return Object.assign(made, { context: error });
}

/** Callable without `new`, as readable-stream calls it on objects of its own. */
interface EventEmitterClass {
  new (): Emitter;
  readonly prototype: Emitter;
  readonly EventEmitter: EventEmitterClass;
  readonly once: typeof onceOf;
  readonly on: typeof onOf;
  readonly defaultMaxListeners: number;
}

function construct(): void {
  // Lists are made by the first listener.
}

export type EventEmitter = Emitter;
export const EventEmitter: EventEmitterClass = construct as unknown as EventEmitterClass;
Object.defineProperty(EventEmitter, "prototype", { value: Emitter.prototype });
Object.defineProperty(EventEmitter, "name", { value: "EventEmitter" });
Object.defineProperty(Emitter.prototype, "constructor", { value: EventEmitter, writable: true, configurable: true });
Object.assign(EventEmitter, { EventEmitter, once: onceOf, on: onOf, defaultMaxListeners: 10 });

export const once: typeof onceOf = onceOf;
export const on: typeof onOf = onOf;
