const DEPTH = 3;
const MANY = 100;

/** A value as a person reads it: near to what Node prints, and nothing that a program may parse. */
export function inspect(value: unknown, depth: number = DEPTH, seen: readonly object[] = []): string {
  if (typeof value === "string")
    return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`;
  if (typeof value === "bigint") return `${String(value)}n`;
  if (typeof value === "function") return `[Function: ${value.name === "" ? "(anonymous)" : value.name}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (seen.includes(value)) return "[Circular]";
  if (value instanceof Error) return inspectError(value, depth, [...seen, value]);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (depth === 0) return Array.isArray(value) ? "[Array]" : "[Object]";
  const inner = (each: unknown): string => inspect(each, depth - 1, [...seen, value]);
  if (Array.isArray(value)) return listed("[", value.slice(0, MANY).map(inner), "]");
  if (value instanceof Map) {
    return `Map(${String(value.size)}) ${listed(
      "{",
      [...value].map(([key, of]) => `${inner(key)} => ${inner(of)}`),
      "}",
    )}`;
  }
  if (value instanceof Set) return `Set(${String(value.size)}) ${listed("{", [...value].map(inner), "}")}`;
  if (ArrayBuffer.isView(value)) return inspectBytes(value);
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: { readonly name: string } } | null;
  const name = prototype?.constructor?.name ?? "[Object: null prototype]";
  return `${name === "Object" ? "" : `${name} `}${listed(
    "{",
    Object.entries(value).map(([key, of]) => `${key}: ${inner(of)}`),
    "}",
  )}`;
}

/** The engine's stack does not begin with name and message. */
export function errorText(error: Error): string {
  const stack = typeof error.stack === "string" ? error.stack.trimEnd() : "";
  const title = String(error);
  return stack.startsWith(title) ? stack : `${title}${stack === "" ? "" : `\n${stack}`}`;
}

function inspectError(error: Error, depth: number, seen: readonly object[]): string {
  const own = Object.entries(error).filter(([name]) => !["message", "stack", "name", "cause"].includes(name));
  const { cause } = error;
  if (cause !== undefined) own.push(["[cause]", cause]);
  const details = own.map(([name, value]) => `${name}: ${depth === 0 ? "…" : inspect(value, depth - 1, seen)}`);
  return details.length === 0 ? errorText(error) : `${errorText(error)} ${listed("{", details, "}")}`;
}

function inspectBytes(view: ArrayBufferView): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, Math.min(50, view.byteLength));
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `<${view.constructor.name} ${digits}${view.byteLength > 50 ? " …" : ""}>`;
}

function listed(open: string, parts: readonly string[], close: string): string {
  if (parts.length === 0) return `${open}${close}`;
  const line = `${open} ${parts.join(", ")} ${close}`;
  return line.length <= 76 && !line.includes("\n")
    ? line
    : `${open}\n  ${parts.join(",\n").replaceAll("\n", "\n  ")}\n${close}`;
}
