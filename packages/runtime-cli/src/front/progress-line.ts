const USUAL_COLUMNS = 80;

/** A terminal, as far as a line needs it. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A line of standard error that is written over on a terminal; nothing anywhere else. */
export class ProgressLine implements Disposable {
  readonly #screen: Screen;
  #last = "";

  constructor(screen: Screen = process.stderr) {
    this.#screen = screen;
  }

  /** @param name is shortened where the terminal has no room for it: a line that wraps cannot be written over */
  show(name: string, state: string): void {
    if (this.#screen.isTTY !== true) return;
    const text = fitted(name, state, (this.#screen.columns ?? USUAL_COLUMNS) - 1);
    if (text === this.#last) return;
    this.#last = text;
    this.#screen.write(`\r\u001b[2K${text}`);
  }

  [Symbol.dispose](): void {
    if (this.#last !== "") this.#screen.write("\r\u001b[2K");
  }
}

function fitted(name: string, state: string, columns: number): string {
  const room = columns - state.length - 2;
  if (name.length <= room) return `${name}: ${state}`;
  if (room < 4) return state.slice(0, Math.max(columns, 0));
  return `…${name.slice(name.length - room + 1)}: ${state}`;
}
