import type { CompletedOption, CompletedProgram } from "./completed.ts";

const NO_COMMAND_YET = "-n __fish_use_subcommand";

export function fishScript({ name: called, commands, globals, lists }: CompletedProgram): string {
  const complete = `complete -c ${called}`;
  const lines = [
    `# fish completion for ${called}`,
    ...globals.map((option) => `${complete} ${NO_COMMAND_YET} ${flags(option)}`),
    ...commands.map(({ name, summary }) => `${complete} ${NO_COMMAND_YET} -f -a ${name} -d ${quoted(summary)}`),
  ];
  for (const { name, options, takes, words } of commands) {
    const after = `${complete} -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    lines.push(...options.map((option) => `${after} ${flags(option)}`));
    if (words.length > 0) lines.push(`${after} -f -a ${quoted(words.join(" "))}`);
    for (const each of takes) lines.push(`${after} -f -a ${quoted(`(${lists[each] ?? ""})`)}`);
  }
  return `${lines.join("\n")}\n`;
}

function flags({ name, short, about, takesValue }: CompletedOption): string {
  return `-l ${name}${short === undefined ? "" : ` -s ${short}`}${takesValue ? " -r" : ""} -d ${quoted(about)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
