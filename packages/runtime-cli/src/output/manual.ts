import type { Manual } from "../arguments/manual.ts";
import type { OptionTable } from "../arguments/parse.ts";

const COLUMN = 30;

/** What `kata-runtime VERB --help` prints. */
export function manualPage(verb: string, summary: string, { operands, options, notes, examples }: Manual): string {
  const synopsis = ["kata-runtime [global options]", verb, "[options]", operands].filter(Boolean).join(" ");
  const parts = [`${verb}: ${summary}`, `usage: ${synopsis}`];
  if (notes !== undefined) parts.push(notes.join("\n"));
  parts.push(`options:\n${optionLines({ ...options, help: { type: "boolean", short: "h", about: "show this" } })}`);
  if (examples !== undefined) parts.push(`examples:\n${examples.map((line) => `  kata-runtime ${line}`).join("\n")}`);
  return `${parts.join("\n\n")}\n`;
}

/** A line for each option: its names, what it takes, what it is for. */
export function optionLines(options: OptionTable): string {
  return Object.entries(options)
    .map(([name, { short, value, multiple, about }]) => {
      const names = short === undefined ? `    --${name}` : `-${short}, --${name}`;
      const shape = `  ${names}${value === undefined ? "" : ` ${value}`}${multiple === true ? " …" : ""}`;
      return `${shape.padEnd(COLUMN)} ${about}`;
    })
    .join("\n");
}
