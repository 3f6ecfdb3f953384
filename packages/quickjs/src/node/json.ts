// JSON.rawJSON, and the source of numbers for JSON.parse's reviver, which this engine's JSON has not.
type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** What no text has by chance. */
const MARK = `kata-json-${Math.random().toString(36).slice(2)}:`;
const RAW = new RegExp(`"${MARK}([^"]*)"`, "g");
/** Strings are passed over; of numbers those are of interest that a double may round. */
const STRING_OR_LONG_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_NUMBER = /\d{16}/;

const { parse, stringify } = JSON;
let isRawUsed = false;

class Raw {
  readonly rawJSON: string;

  constructor(text: string) {
    this.rawJSON = text;
  }

  toJSON(): string {
    return `${MARK}${this.rawJSON}`;
  }
}

/** A number, `true`, `false` or `null` that stands in JSON as it is written. Strings would need more than this. */
function rawJSON(text: string): Raw {
  if (typeof parse(text) === "object" && parse(text) !== null) throw new SyntaxError("rawJSON takes no object");
  if (text.includes('"')) throw new SyntaxError("rawJSON of a string is not implemented here");
  isRawUsed = true;
  return new Raw(text);
}

type Replacer = (this: unknown, key: string, value: unknown) => unknown;

function stringifyWithRaw(value: unknown, replacer?: unknown, indent?: string | number): string | undefined {
  const marking = typeof replacer === "function" ? markRaw(replacer as Replacer) : replacer;
  const text = stringify(value, marking as never, indent) as string | undefined;
  return isRawUsed ? text?.replace(RAW, "$1") : text;
}

/** What a replacer gives is not asked for its toJSON. */
function markRaw(replacer: Replacer): Replacer {
  return function (this: unknown, key, value) {
    const replaced: unknown = Reflect.apply(replacer, this, [key, value]);
    return replaced instanceof Raw ? replaced.toJSON() : replaced;
  };
}

/** The context has the source of long numbers alone. */
function parseWithSource(json: unknown, reviver?: Reviver): unknown {
  const text = String(json);
  if (reviver === undefined) return parse(text) as unknown;
  const marked = LONG_NUMBER.test(text)
    ? text.replace(STRING_OR_LONG_NUMBER, (token) => (token.startsWith('"') ? token : `"${MARK}${token}"`))
    : text;
  return parse(marked, function (this: unknown, key: string, value: unknown): unknown {
    if (typeof value !== "string" || !value.startsWith(MARK)) return Reflect.apply(reviver, this, [key, value, {}]);
    const source = value.slice(MARK.length);
    return Reflect.apply(reviver, this, [key, Number(source), { source }]);
  });
}

export function completeJson(): void {
  Object.assign(JSON, { rawJSON, stringify: stringifyWithRaw, parse: parseWithSource });
}
