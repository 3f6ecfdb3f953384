import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VM_ROOT } from "./paths.ts";

/** Lines of a guest's console that mean that its kernel is unwell. */
const UNWELL = /BUG:|Call Trace|Kernel panic|Oops|WARNING: CPU/;

/**
 * The kernel prints a trace for a process that runs out of memory, too: that is no fault of the kernel. So it does for the process that it ends, when it
 * asks for one more page on its way.
 */
function isOomReport(before: readonly string[]): boolean {
  return before.slice(-8).some((line) => /invoked oom-killer|page allocation failure: order:0/.test(line));
}

/**
 * Keeps the consoles of all VMs that live while it watches: a link to each console's file outlives the VM's directory.
 */
export class ConsoleWatch implements Disposable {
  readonly #directory: string = mkdtempSync("/run/kata-e2e-consoles-");
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      this.#collect();
    }, 50);
  }

  /** Lines that mean trouble, of every guest so far. */
  complaints(): string[] {
    this.#collect();
    return readdirSync(this.#directory).flatMap((name) =>
      readFileSync(join(this.#directory, name), "latin1")
        .split("\n")
        .filter((line, index, lines) => UNWELL.test(line) && !isOomReport(lines.slice(0, index)))
        .map((line) => `${name}: ${line}`),
    );
  }

  /** How many guests were seen. */
  get count(): number {
    this.#collect();
    return readdirSync(this.#directory).length;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #collect(): void {
    for (const vm of names(VM_ROOT)) {
      try {
        linkSync(join(VM_ROOT, vm, "console.log"), join(this.#directory, vm));
      } catch {}
    }
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
