import { inspect } from "./inspect.ts";

/** `%s`, `%d`, `%i`, `%f`, `%j`, `%o` and `%O`, then what is left, separated by spaces. */
export function format(...args: unknown[]): string {
  const [first, ...rest] = args;
  if (typeof first !== "string") return args.map(shown).join(" ");
  const text = first.replace(/%[sdifjoO%]/g, (mark) => {
    if (mark === "%%") return "%";
    if (rest.length === 0) return mark;
    const value = rest.shift();
    if (mark === "%s") return shown(value);
    if (mark === "%j") return JSON.stringify(value);
    if (mark === "%i") return String(Number.parseInt(String(value), 10));
    return mark === "%d" || mark === "%f" ? String(Number(value)) : inspect(value);
  });
  return [text, ...rest.map(shown)].join(" ");
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}
