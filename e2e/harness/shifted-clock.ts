import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeEngineProgram } from "../../scripts/lib/engine-programs.ts";
import { engineProgram } from "../../scripts/lib/place-programs.ts";
import { runCommand } from "./command.ts";
import { treeWithoutNode } from "./tree-without-node.ts";

const PROGRAMS = ["kata-runtime", "kata-proxy", "kata-shim"];

/**
 * An installation whose own programs see a time of day that can be shifted while they run: each is the installed one, with a module before
 * it that gives it another `Date`. What a file says of its age is the machine's time. The monotonic clock is the machine's, too: it does
 * not jump either when a machine's clock is set.
 */
export class ShiftedClock implements Disposable {
  readonly #directory: string = mkdtempSync(join(tmpdir(), "kata-clock-"));
  readonly #file: string = join(this.#directory, "shift");
  readonly #clock: string = join(this.#directory, "clock");
  #tree = "";

  static async install(): Promise<ShiftedClock> {
    const clock = new ShiftedClock();
    await clock.#install();
    return clock;
  }

  private constructor() {
    this.set(0);
  }

  /** Its kata-runtime. */
  get runtime(): string {
    return join(this.#tree, "bin", "kata-runtime");
  }

  /** What its programs take the time for, in milliseconds. */
  async now(): Promise<number> {
    return Number((await runCommand(this.#clock, [])).stdout);
  }

  /** From now on the time is the machine's, and so many seconds more or less. */
  set(seconds: number): void {
    writeFileSync(this.#file, String(seconds * 1000).padEnd(LENGTH));
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }

  async #install(): Promise<void> {
    this.#tree = await treeWithoutNode(this.#directory);
    const [shift, print] = [join(this.#directory, "shift.js"), join(this.#directory, "print.js")];
    writeFileSync(shift, shiftBy(this.#file));
    writeFileSync(print, "console.log(Date.now());\n");
    await makeEngineProgram({ entry: print, to: this.#clock, before: [shift] });
    for (const program of PROGRAMS) {
      const to = join(this.#tree, "libexec", "kata-ts", program);
      await makeEngineProgram({ ...engineProgram(program, { KATA_TS_COMMIT: '"unknown"' }), to, before: [shift] });
    }
  }
}

/** Of the file's text: it is written in place, and read while it is. */
const LENGTH = 10;

/** The file stays open: kata-shim has another root when it runs. */
function shiftBy(file: string): string {
  return `
    import { openSync, readSync } from "node:fs";
    const RealDate = Date;
    const file = openSync(${JSON.stringify(file)}, "r");
    const text = Buffer.alloc(${String(LENGTH)});
    const now = () => RealDate.now() + Number(text.toString("latin1", 0, readSync(file, text, 0, text.length, 0)));
    globalThis.Date = class Date extends RealDate {
      constructor(...given) {
        super(...(given.length === 0 ? [now()] : given));
      }
      static now() {
        return now();
      }
    };
  `;
}
