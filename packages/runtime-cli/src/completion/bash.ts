import { type CompletedCommand, type CompletedOption, GLOBALS, LIST_CONTAINERS } from "./completed.ts";

export function bashScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, options, takesContainer }) => {
    const containers = takesContainer ? " $(_kata_runtime_ids)" : "";
    return `    ${name}) words="${names(options)}${containers}" ;;`;
  });
  return `# bash completion for kata-runtime

_kata_runtime_ids() { ${LIST_CONTAINERS}; }

_kata_runtime() {
  local current="\${COMP_WORDS[COMP_CWORD]}" verb="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) verb="$word"; break ;; esac
  done
  case "$verb" in
    "") words="${names(GLOBALS)} ${commands.map(({ name }) => name).join(" ")}" ;;
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}

complete -o default -F _kata_runtime kata-runtime
`;
}

function names(options: readonly CompletedOption[]): string {
  return options.map(({ name }) => `--${name}`).join(" ");
}
