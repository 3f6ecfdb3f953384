import { type CompletedCommand, type CompletedOption, GLOBALS, LIST_CONTAINERS } from "./completed.ts";

const COMPLETE = "complete -c kata-runtime";
const NO_COMMAND_YET = "-n __fish_use_subcommand";

export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = [
    "# fish completion for kata-runtime",
    ...GLOBALS.map((option) => `${COMPLETE} ${NO_COMMAND_YET} ${flags(option)}`),
    ...commands.map(({ name, summary }) => `${COMPLETE} ${NO_COMMAND_YET} -f -a ${name} -d ${quoted(summary)}`),
  ];
  for (const { name, options, takesContainer } of commands) {
    const after = `${COMPLETE} -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    lines.push(...options.map((option) => `${after} ${flags(option)}`));
    if (takesContainer) lines.push(`${after} -f -a ${quoted(`(${LIST_CONTAINERS})`)}`);
  }
  return `${lines.join("\n")}\n`;
}

function flags({ name, short, about, takesValue }: CompletedOption): string {
  return `-l ${name}${short === undefined ? "" : ` -s ${short}`}${takesValue ? " -r" : ""} -d ${quoted(about)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
