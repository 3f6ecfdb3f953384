import { readFileSync } from "node:fs";
import { join } from "node:path";

const PAGE = join(import.meta.dirname, "../../../../docs/oci-spec.md");
/** Headings whose tables have fields, and what comes before their names. */
const SECTIONS: Readonly<Record<string, string>> = { "Top level": "", process: "process.", linux: "linux." };

export interface DocumentedField {
  /** Such as `linux.resources.memory`; with `…` at its end where more names begin like this. */
  readonly field: string;
  readonly fate: string;
}

/** The fields of docs/oci-spec.md with their fates. */
export function documentedFields(): DocumentedField[] {
  const sections = readFileSync(PAGE, "utf8").split(/^## /m);
  return sections.flatMap((section) => {
    const [heading = "", ...lines] = section.split("\n");
    if (heading === "mounts") return [{ field: "mounts", fate: "applied" }];
    const prefix = SECTIONS[heading];
    return prefix === undefined
      ? []
      : lines.filter((line) => line.startsWith("| `")).flatMap((line) => row(line, prefix));
  });
}

/** The page's word on a field, or on the field that contains it; undefined where the page has neither. */
export function fateOf(path: string): string | undefined {
  const matches = documentedFields().filter(({ field }) =>
    field.endsWith("…") ? path.startsWith(field.slice(0, -1)) : path === field || path.startsWith(`${field}.`),
  );
  return matches.sort((a, b) => b.field.length - a.field.length)[0]?.fate;
}

/** A name that begins with a point belongs where the last one without does. */
function row(line: string, prefix: string): DocumentedField[] {
  const [, names = "", fate = ""] = line.split("|").map((cell) => cell.trim());
  let parent = "";
  return [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => {
    const full = name.startsWith(".") ? `${parent}${name}` : name;
    parent = name.startsWith(".") ? parent : name.split(".").slice(0, -1).join(".");
    return { field: `${prefix}${full.replace("[]", "")}`, fate };
  });
}
