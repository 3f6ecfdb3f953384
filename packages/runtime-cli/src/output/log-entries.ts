import { escapeControls } from "@kata-ts/linux";

/** An entry of a log, with all of its fields. */
export interface LogEntry {
  /** Milliseconds since 1970; that of the entry before where a line has none of its own. */
  readonly at: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** `name=value`, with the value in quotes where it needs them. */
const FIELD = /([\w.-]+)=("(?:[^"\\]|\\.)*"|\S*)/g;

/**
 * Entries of a log of Kata's parts or of ours: logfmt or JSON, a line each, alone or behind what a system's log writes in
 * front. Other lines are a message.
 *
 * @param file shown with each entry
 */
export function parseLog(text: string, file: string): LogEntry[] {
  let at = 0;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const fields = parseLine(line);
    const time = Date.parse(fields.time ?? "");
    if (!Number.isNaN(time)) at = time;
    return { at, fields: { ...fields, file } };
  });
}

/** All of them by time; those of one time, and of one file, in the order in which they were written. */
export function mergeLogs(logs: readonly (readonly LogEntry[])[]): LogEntry[] {
  return logs.flat().sort((a, b) => a.at - b.at);
}

/** One line, time, level and message first. */
export function formatLogEntry({ fields }: LogEntry, format: "text" | "json"): string {
  const { time, level, msg, ...others } = fields;
  const ordered = { time, level, msg, ...others };
  const present = Object.entries(ordered).filter((field): field is [string, string] => field[1] !== undefined);
  if (format === "json") return JSON.stringify(Object.fromEntries(present));
  const words = present.map(
    ([name, value]) => `${name}=${/^[\w./:+@-]+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  return escapeControls(words.join(" "));
}

function parseLine(line: string): Record<string, string> {
  const json = line.indexOf("{");
  const object = json === -1 ? undefined : objectIn(line.slice(json));
  if (object !== undefined) return object;
  const start = line.search(/\b(?:time|level|msg)=/);
  if (start === -1) return { msg: line };
  return Object.fromEntries(
    [...line.slice(start).matchAll(FIELD)].map(([, name = "", value = ""]) => [name, unquoted(value)]),
  );
}

function objectIn(text: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value).map(([name, each]: [string, unknown]) => [
      name,
      typeof each === "string" ? each : JSON.stringify(each),
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
  } catch {
    return undefined;
  }
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value.slice(1, -1);
  }
}
