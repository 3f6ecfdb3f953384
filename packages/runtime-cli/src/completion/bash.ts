import { type CompletedOption, type CompletedProgram, identifier } from "./completed.ts";

/**
 * bash expands the words of `compgen -W`, and leaves those that it completes unquoted: a name with characters of the shell, such as
 * the path of an archive, would be run as a command.
 */
const PLAIN = "LC_ALL=C grep -xE '[[:alnum:]_./:@+-]+'";

export function bashScript(program: CompletedProgram): string {
  const { name: called, commands, globals, lists } = program;
  const own = identifier(program);
  const functions = Object.entries(lists).map(([named, list]) => `_${own}_${named}() { ${list} | ${PLAIN}; }\n`);
  const cases = commands.map(({ name, options, takes, words }) => {
    const named = takes.map((each) => ` $(_${own}_${each})`).join("");
    const choice = words.length === 0 ? "" : ` ${words.join(" ")}`;
    return `    ${name}) words="${names(options)}${choice}${named}" ;;`;
  });
  return `# bash completion for ${called}

${functions.join("\n")}
_${own}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" verb="" words="" word before=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) verb="$word"; break ;; esac
  done
  case "$verb" in
    "") words="${names(globals)} ${commands.map(({ name }) => name).join(" ")}" ;;
${cases.join("\n")}
  esac
  # bash takes a name with a colon for several words: what is before the last colon is there already.
  if [[ "$COMP_WORDBREAKS" == *:* && -n "\${COMP_LINE:-}" ]]; then
    word="\${COMP_LINE:0:COMP_POINT}"
    word="\${word##*[[:blank:]]}"
    if [[ "$word" == *:* ]]; then current="$word"; before="\${word%"\${word##*:}"}"; fi
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  COMPREPLY=("\${COMPREPLY[@]#"$before"}")
}

complete -o default -F _${own} ${called}
`;
}

function names(options: readonly CompletedOption[]): string {
  return options.map(({ name }) => `--${name}`).join(" ");
}
