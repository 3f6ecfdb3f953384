const CODES: Readonly<Record<string, number>> = { AbortError: 20, TimeoutError: 23, DataCloneError: 25 };

export class DOMException extends Error {
  override readonly name: string;
  readonly code: number;

  constructor(message = "", name = "Error") {
    super(message);
    this.name = name;
    this.code = CODES[name] ?? 0;
  }
}
