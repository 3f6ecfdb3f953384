import { read } from "kata:native";
import { Buffer } from "../buffer.ts";
import { EventEmitter } from "../events.ts";
import { succeed, tryLibc } from "../libc.ts";
import { afterTurn } from "../loop/loop.ts";
import { READABLE, Watch } from "../loop/poll.ts";
import { type PathArgument, pathOf, pathText } from "./path-argument.ts";

const INOTIFY_FLAGS = 0o2004000; // IN_CLOEXEC | IN_NONBLOCK
const ATTRIBUTES = 0x4;
const MODIFIED = 0x2;
/** IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF, IN_MOVED_FROM and IN_MOVED_TO. */
const NAMES = 0x100 | 0x200 | 0x400 | 0x800 | 0x40 | 0x80;
const HEADER_BYTES = 16;

type Listener = (kind: "change" | "rename", name: string | null) => void;

/** Tells of changes of a file, or of what a directory holds: inotify(7). */
export class FSWatcher extends EventEmitter {
  readonly #path: string;
  #watch: Watch | undefined;

  constructor(path: PathArgument) {
    super();
    this.#path = pathText(path);
    const fd = succeed(tryLibc("inotify_init1", INOTIFY_FLAGS), "inotify_init1");
    const added = tryLibc("inotify_add_watch", fd, pathOf(path), ATTRIBUTES | MODIFIED | NAMES);
    if (added < 0) tryLibc("close", fd);
    succeed(added, "watch", { path: this.#path });
    this.#watch = new Watch(fd, () => {
      this.#takeEvents(fd);
    });
    this.#watch.want(READABLE);
  }

  close(): void {
    if (this.#watch === undefined) return;
    const { fd } = this.#watch;
    this.#watch.close();
    this.#watch = undefined;
    tryLibc("close", fd);
    afterTurn(() => this.emit("close"));
  }

  ref(): this {
    this.#watch?.reference(true);
    return this;
  }

  unref(): this {
    this.#watch?.reference(false);
    return this;
  }

  #takeEvents(fd: number): void {
    const events = Buffer.alloc(4096);
    const size = read(fd, events, 0, events.length, -1);
    for (let at = 0; at < size && this.#watch !== undefined; ) {
      const mask = events.readUInt32LE(at + 4);
      const length = events.readUInt32LE(at + 12);
      const start = at + HEADER_BYTES;
      const name = length === 0 ? this.#ownName : events.toString("utf8", start, events.indexOf(0, start));
      at = start + length;
      if ((mask & ~(ATTRIBUTES | MODIFIED) & NAMES) !== 0) this.emit("change", "rename", name);
      else if ((mask & (ATTRIBUTES | MODIFIED)) !== 0) this.emit("change", "change", name);
    }
  }

  /** A file that is watched itself has no name in its events. */
  get #ownName(): string {
    return this.#path.slice(this.#path.lastIndexOf("/") + 1);
  }
}

export function watch(path: PathArgument, ...rest: readonly unknown[]): FSWatcher {
  const watcher = new FSWatcher(path);
  const listener = rest.find((part) => typeof part === "function") as Listener | undefined;
  if (listener !== undefined) watcher.on("change", listener);
  return watcher;
}
