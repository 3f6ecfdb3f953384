import { GLOBAL_OPTIONS } from "../arguments/globals.ts";
import type { Manual } from "../arguments/manual.ts";
import { type OptionTable, parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { CommandTable, Verb } from "../commands.ts";

export const manual: Manual = {
  operands: "bash",
  options: {},
  examples: ["completion bash > /etc/bash_completion.d/kata-runtime"],
};

/** Prints a script that completes commands, their options, container ids and files. */
export const verb: Verb = async (args, { commands }) => {
  const [shell, ...more] = parseAnywhere(args, manual.options).words;
  if (shell !== "bash" || more.length > 0) throw new UsageError('"completion" requires a shell it knows: bash');
  process.stdout.write(await bashScript(commands));
  return 0;
};

async function bashScript(commands: CommandTable): Promise<string> {
  const cases: string[] = [];
  for (const [name, { load }] of Object.entries(commands)) {
    const { operands, options } = (await load()).manual;
    const ids = operands.startsWith("CONTAINER") ? " $(_kata_runtime_ids)" : "";
    cases.push(`    ${name}) words="${names(options)}${ids}" ;;`);
  }
  return `# bash completion for kata-runtime

_kata_runtime_ids() { kata-runtime list --quiet 2>/dev/null; }

_kata_runtime() {
  local current="\${COMP_WORDS[COMP_CWORD]}" verb="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) verb="$word"; break ;; esac
  done
  case "$verb" in
    "") words="${names(GLOBAL_OPTIONS)} ${Object.keys(commands).join(" ")}" ;;
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}

complete -o default -F _kata_runtime kata-runtime
`;
}

function names(options: OptionTable): string {
  return [...Object.keys(options), "help"].map((name) => `--${name}`).join(" ");
}
