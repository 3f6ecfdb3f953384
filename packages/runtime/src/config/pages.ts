import type * as z from "zod/mini";
import { documentationOf, type OptionDocumentation } from "./option.ts";
import { SECTIONS } from "./options.ts";

const WIDTH = 118;

/** The table of docs/configuration.md. */
export function optionsTable(): string {
  const rows = [["section", "option", "default", "unit", "meaning"]];
  for (const [section, options] of Object.entries(SECTIONS)) {
    let shown = `\`[${section}]\``;
    for (const [name, documentation] of effective(options)) {
      rows.push([shown, `\`${name}\``, initialText(documentation), documentation.unit ?? "", documentation.about]);
      shown = "";
    }
  }
  return table(rows);
}

/** The table of what Kata 1.x's files may have besides. */
export function withoutEffectTable(): string {
  const body = Object.entries(SECTIONS).flatMap(([section, options]) =>
    documented(options)
      .filter(([, { hasNoEffect }]) => hasNoEffect === true)
      .map(([name, { about }]) => [`\`[${section}]\``, `\`${name}\``, about]),
  );
  return table([["section", "option", "why it changes nothing"], ...body]);
}

/** configuration.toml as it is shipped: every option with its default, those without a fixed one as comments. */
export function exampleFile(): string {
  const lines = [
    "# kata-ts: configuration of kata-runtime. Sections and option names are Kata's. Every option is shown with its",
    "# default. Files in config.d beside this one override it, in the order of their names.",
  ];
  for (const [section, options] of Object.entries(SECTIONS)) {
    lines.push("", `[${section}]`);
    for (const [name, documentation] of effective(options)) {
      const unit = documentation.unit === undefined ? "" : ` (${documentation.unit})`;
      lines.push(...wrapped(`${documentation.about.replaceAll("`", '"')}${unit}`));
      const hasFixedDefault = !isDescription(documentation.initial);
      lines.push(hasFixedDefault ? `${name} = ${JSON.stringify(documentation.initial)}` : `# ${name} = ""`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("");
}

function effective(options: Readonly<Record<string, z.ZodMiniType>>): [string, OptionDocumentation][] {
  return documented(options).filter(([, { hasNoEffect }]) => hasNoEffect !== true);
}

function documented(options: Readonly<Record<string, z.ZodMiniType>>): [string, OptionDocumentation][] {
  return Object.entries(options).flatMap(([name, type]) => {
    const documentation = documentationOf(type);
    return documentation === undefined ? [] : [[name, documentation] as [string, OptionDocumentation]];
  });
}

function initialText({ initial }: OptionDocumentation): string {
  if (typeof initial !== "string") return JSON.stringify(initial);
  if (isDescription(initial)) return initial.slice(1, -1);
  return initial === "" ? "empty" : `\`${initial}\``;
}

function isDescription(initial: OptionDocumentation["initial"]): boolean {
  return typeof initial === "string" && initial.startsWith("<");
}

function wrapped(text: string): string[] {
  const lines = ["#"];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`# ${word}`);
  }
  return lines;
}
