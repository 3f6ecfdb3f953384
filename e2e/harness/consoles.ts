import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VM_ROOT } from "./paths.ts";

/** Lines of a guest's console that mean that its kernel is unwell. */
const UNWELL = /BUG:|Call Trace|Kernel panic|Oops|WARNING: CPU/;

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
        .filter((line) => UNWELL.test(line))
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
