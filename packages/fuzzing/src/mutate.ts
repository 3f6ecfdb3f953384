import fc from "fast-check";

/** One change to a text or to bytes, at a place and over a length that are shares of the whole. */
interface Edit {
  readonly kind: "cut" | "repeat" | "replace" | "insert" | "truncate";
  readonly at: number;
  readonly length: number;
  readonly by: Uint8Array;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom("cut", "repeat", "replace", "insert", "truncate"),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 24 }),
  by: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 24 }),
    // What parsers trip over.
    fc
      .constantFrom(
        "null",
        "-1",
        "1e999",
        '"',
        "\\",
        "{",
        "]",
        "\n",
        "\u001b[2J",
        "\ud800",
        "__proto__",
        "9".repeat(40),
      )
      .map((text) => new TextEncoder().encode(text)),
  ),
});

/** Valid bytes, changed in a few places. */
export function mutatedBytes(examples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const edits = fc.array(edit, { minLength: 1, maxLength: 6 });
  return fc
    .tuple(fc.constantFrom(...examples), edits)
    .map(([example, list]) => list.reduce(apply, Buffer.from(example)));
}

/** Valid texts, changed in a few places, and texts that never were valid. */
export function mutated(examples: readonly string[]): fc.Arbitrary<string> {
  const encoded = examples.map((example) => new TextEncoder().encode(example));
  return fc.oneof(
    { weight: 8, arbitrary: mutatedBytes(encoded).map((bytes) => bytes.toString()) },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.json() },
  );
}

function apply(bytes: Buffer, { kind, at, length, by }: Edit): Buffer {
  const start = Math.floor(at * bytes.length);
  const [before, piece, after] = [
    bytes.subarray(0, start),
    bytes.subarray(start, start + length),
    bytes.subarray(start + length),
  ];
  if (kind === "truncate") return before;
  if (kind === "cut") return Buffer.concat([before, after]);
  if (kind === "repeat") return Buffer.concat([before, piece, piece, piece, after]);
  return Buffer.concat([before, by, kind === "insert" ? piece : Buffer.alloc(0), after]);
}
