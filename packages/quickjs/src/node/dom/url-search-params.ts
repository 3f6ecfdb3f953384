import { percentDecode } from "./url/encode.ts";

/** What a URL says behind its question mark, to be read: a form's names and values, in order. */
export class URLSearchParams implements Iterable<[string, string]> {
  readonly #pairs: readonly (readonly [name: string, value: string])[];

  constructor(text = "") {
    const parts = text.replace(/^\?/, "").split("&");
    this.#pairs = parts.filter(Boolean).map((part) => {
      const end = part.indexOf("=");
      const [name, value] = end === -1 ? [part, ""] : [part.slice(0, end), part.slice(end + 1)];
      return [decoded(name), decoded(value)];
    });
  }

  get size(): number {
    return this.#pairs.length;
  }

  get(name: string): string | null {
    return this.#pairs.find(([each]) => each === name)?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.flatMap(([each, value]) => (each === name ? [value] : []));
  }

  has(name: string): boolean {
    return this.#pairs.some(([each]) => each === name);
  }

  *[Symbol.iterator](): Generator<[string, string], undefined> {
    for (const [name, value] of this.#pairs) yield [name, value];
    return undefined;
  }
}

function decoded(text: string): string {
  return percentDecode(text.replaceAll("+", " "));
}
