/** An error that came while another one was thrown. */
export class SuppressedError extends Error {
  override readonly name = "SuppressedError";
  readonly error: unknown;
  readonly suppressed: unknown;

  constructor(error: unknown, suppressed: unknown, message = "") {
    super(message);
    this.error = error;
    this.suppressed = suppressed;
  }
}

type Step = () => unknown;
type Resource = object | ((...args: never[]) => unknown) | null | undefined;

/** What is to be undone, the last first. */
class Stack {
  #steps: Step[] = [];
  #isDisposed = false;

  get disposed(): boolean {
    return this.#isDisposed;
  }

  defer(step: Step): void {
    this.#check();
    this.#steps.push(step);
  }

  adopt<T>(value: T, step: (value: T) => unknown): T {
    this.defer(() => step(value));
    return value;
  }

  /** A resource without any of these methods is refused; that of the first name is preferred. */
  protected add<T extends Resource>(resource: T, names: readonly symbol[]): T {
    this.#check();
    if (typeof resource !== "object" && typeof resource !== "function") return resource;
    if (resource === null) return resource;
    const method = names.map((name): unknown => Reflect.get(resource, name)).find((each) => each !== undefined);
    if (typeof method !== "function") throw new TypeError("the resource cannot be disposed of");
    this.#steps.push(() => Reflect.apply(method, resource, []) as unknown);
    return resource;
  }

  /** Moves all steps to another stack, which is returned; this one is over. */
  protected moveTo<T extends Stack>(other: T): T {
    this.#check();
    other.#steps = this.take();
    return other;
  }

  /** The steps in the order in which they were added; none the second time. */
  protected take(): Step[] {
    const steps = this.#steps;
    this.#steps = [];
    this.#isDisposed = true;
    return steps;
  }

  #check(): void {
    if (this.#isDisposed) throw new ReferenceError("the stack has been disposed of");
  }
}

/** What goes wrong does not keep the other steps from being taken. */
class Failures {
  #failure: { readonly error: unknown } | undefined;

  add(error: unknown): void {
    this.#failure = { error: this.#failure === undefined ? error : new SuppressedError(error, this.#failure.error) };
  }

  throwIfAny(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

export class DisposableStack extends Stack {
  use<T extends Resource>(resource: T): T {
    return this.add(resource, [Symbol.dispose]);
  }

  move(): DisposableStack {
    return this.moveTo(new DisposableStack());
  }

  dispose(): void {
    const failures = new Failures();
    for (const step of this.take().reverse()) {
      try {
        step();
      } catch (error) {
        failures.add(error);
      }
    }
    failures.throwIfAny();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

export class AsyncDisposableStack extends Stack {
  use<T extends Resource>(resource: T): T {
    return this.add(resource, [Symbol.asyncDispose, Symbol.dispose]);
  }

  move(): AsyncDisposableStack {
    return this.moveTo(new AsyncDisposableStack());
  }

  async disposeAsync(): Promise<void> {
    const failures = new Failures();
    for (const step of this.take().reverse()) {
      try {
        await step();
      } catch (error) {
        failures.add(error);
      }
    }
    failures.throwIfAny();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disposeAsync();
  }
}
