/**
 * JSON with exact 64-bit integers. config.json holds some (RLIM_INFINITY, seccomp masks) that a double would round.
 */
export function parseJson(text: string): unknown {
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    const source = context?.source;
    const rounded = typeof value === "number" && !Number.isSafeInteger(value);
    return rounded && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, reviver);
}

interface RawJson {
  rawJSON(text: string): unknown;
}

export function stringifyJson(value: unknown, indent?: string | number): string {
  const raw = JSON as unknown as RawJson;
  const replacer = (_key: string, item: unknown): unknown =>
    typeof item === "bigint" ? raw.rawJSON(item.toString()) : item;
  return JSON.stringify(value, replacer, indent);
}
