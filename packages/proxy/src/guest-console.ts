import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { AGENT_LOG_PREFIX, AgentLog, INIT_LOG_PREFIX } from "@kata-ts/agent-protocol/guest-contract";
import { Tail } from "@kata-ts/linux";

/** How far a guest came, in order. */
export type BootPhase = "qemu" | "kernel" | "init" | "agent" | "ready";

/** When each phase was reached, in milliseconds since the epoch. */
export type BootTimeline = Partial<Record<BootPhase, number>>;

/** What the guest prints when it reaches a phase; the guest image's init and the agent say so. */
const MARKS: readonly (readonly [BootPhase, string])[] = [
  ["init", INIT_LOG_PREFIX],
  ["agent", `${AGENT_LOG_PREFIX}${AgentLog.starting}`],
  ["ready", `${AGENT_LOG_PREFIX}${AgentLog.ready}`],
];

const LONGEST_MARK = Math.max(...MARKS.map(([, mark]) => mark.length));

const TAIL_BYTES = 64 * 1024;
const FILE_BYTES = 1024 * 1024;

/** Keeps a guest's console: the tail in memory, and up to two files of bounded size. */
export class GuestConsole {
  readonly tail: Tail = new Tail(TAIL_BYTES);
  readonly timeline: BootTimeline = { qemu: Date.now() };
  readonly #files: readonly number[];
  readonly #onReady: (timeline: BootTimeline) => void;
  #lastWords = "";
  #written = 0;

  /** @param onReady called once, when the agent is up */
  constructor(source: Readable, file: string, onReady: (timeline: BootTimeline) => void) {
    this.#onReady = onReady;
    this.#files = openFiles(file);
    source.on("data", (chunk: Buffer) => {
      this.#keep(chunk);
    });
    source.once("close", () => {
      for (const fd of this.#files) closeSync(fd);
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
    const [newer, older] = this.#files;
    if (newer === undefined) return;
    if (this.#written + chunk.length > FILE_BYTES) this.#rotate(newer, older);
    this.#written += writeSync(newer, chunk, 0, chunk.length, this.#written);
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

  // By descriptors, because the directory may be out of reach by then. Without a second file the one there is begins anew.
  #rotate(newer: number, older: number | undefined): void {
    try {
      if (older !== undefined) copy(newer, older, this.#written);
    } finally {
      this.#written = 0;
      ftruncateSync(newer);
    }
  }
}

function copy(from: number, to: number, bytes: number): void {
  const kept = Buffer.allocUnsafe(bytes);
  const length = readSync(from, kept, 0, bytes, 0);
  ftruncateSync(to);
  writeSync(to, kept, 0, length, 0);
}

/** The newer one first, which there has to be. */
function openFiles(file: string): number[] {
  const newer = openSync(file, "w+", 0o600);
  try {
    return [newer, openSync(`${file}.1`, "w", 0o600)];
  } catch {
    return [newer];
  }
}
