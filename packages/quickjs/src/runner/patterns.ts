/** Stands for many values in what is expected. */
export abstract class Pattern {
  abstract matches(actual: unknown): boolean;
}

export class Containing extends Pattern {
  readonly #text: string;

  constructor(text: string) {
    super();
    this.#text = text;
  }

  matches(actual: unknown): boolean {
    return typeof actual === "string" && actual.includes(this.#text);
  }
}

export class Matching extends Pattern {
  readonly #expression: RegExp;

  constructor(expression: RegExp | string) {
    super();
    this.#expression = new RegExp(expression);
  }

  matches(actual: unknown): boolean {
    return typeof actual === "string" && this.#expression.test(actual);
  }
}

export class OfClass extends Pattern {
  readonly #made: abstract new (
    ...args: never[]
  ) => unknown;

  constructor(made: abstract new (...args: never[]) => unknown) {
    super();
    this.#made = made;
  }

  matches(actual: unknown): boolean {
    return actual instanceof this.#made || Object(actual) instanceof this.#made;
  }
}

export class WithFields extends Pattern {
  readonly #compare: (actual: unknown) => boolean;

  constructor(compare: (actual: unknown) => boolean) {
    super();
    this.#compare = compare;
  }

  matches(actual: unknown): boolean {
    return this.#compare(actual);
  }
}
