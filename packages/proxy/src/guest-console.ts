import { closeSync, ftruncateSync, openSync, renameSync, writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { Tail } from "@kata-ts/qemu-driver";

/** How far a guest came, in order. */
export type BootPhase = "qemu" | "kernel" | "init" | "agent" | "ready";

/** When each phase was reached, in milliseconds since the epoch. */
export type BootTimeline = Partial<Record<BootPhase, number>>;

/** What the guest prints when it reaches a phase; the guest image's init and the agent say so. */
const MARKS: readonly (readonly [BootPhase, string])[] = [
  ["init", "kata-init:"],
  ["agent", "kata-agent: starting"],
  ["ready", "kata-agent: ready"],
];

const LONGEST_MARK = Math.max(...MARKS.map(([, mark]) => mark.length));

const TAIL_BYTES = 64 * 1024;
const FILE_BYTES = 1024 * 1024;

/** Keeps a guest's console: the tail in memory, and up to two files of bounded size. */
export class GuestConsole {
  readonly tail: Tail = new Tail(TAIL_BYTES);
  readonly timeline: BootTimeline = { qemu: Date.now() };
  readonly #file: string;
  readonly #onReady: (timeline: BootTimeline) => void;
  #lastWords = "";
  #fd: number;
  #written = 0;

  /** @param onReady called once, when the agent is up */
  constructor(source: Readable, file: string, onReady: (timeline: BootTimeline) => void) {
    this.#file = file;
    this.#onReady = onReady;
    this.#fd = openSync(file, "a", 0o600);
    source.on("data", (chunk: Buffer) => {
      this.#keep(chunk);
    });
    source.once("close", () => {
      closeSync(this.#fd);
    });
  }

  /** The last phase that was reached. */
  get phase(): BootPhase {
    const order: readonly BootPhase[] = ["ready", "agent", "init", "kernel"];
    return order.find((phase) => this.timeline[phase] !== undefined) ?? "qemu";
  }

  #keep(chunk: Buffer): void {
    this.tail.push(chunk);
    if (this.timeline.ready === undefined) this.#noteProgress(chunk);
    try {
      this.#write(chunk);
    } catch {
      return; // A full disk, or a directory that is gone, must not end the VM; the tail in memory remains.
    }
  }

  #write(chunk: Buffer): void {
    if (this.#written + chunk.length > FILE_BYTES) this.#rotate();
    this.#written += writeSync(this.#fd, chunk);
  }

  // Looks at what is new, and at as much before it as a mark may have begun in.
  #noteProgress(chunk: Buffer): void {
    this.timeline.kernel ??= Date.now();
    const text = this.#lastWords + chunk.toString("latin1");
    for (const [phase, mark] of MARKS) {
      if (this.timeline[phase] === undefined && text.includes(mark)) this.timeline[phase] = Date.now();
    }
    this.#lastWords = text.slice(-LONGEST_MARK);
    if (this.timeline.ready !== undefined) this.#onReady(this.timeline);
  }

  // Where no second file can be had, the one there is begins anew: the console's bound holds in any case.
  #rotate(): void {
    this.#written = 0;
    try {
      renameSync(this.#file, `${this.#file}.1`);
      const next = openSync(this.#file, "w", 0o600);
      closeSync(this.#fd);
      this.#fd = next;
    } catch {
      ftruncateSync(this.#fd);
    }
  }
}
