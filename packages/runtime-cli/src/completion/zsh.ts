import { type CompletedOption, type CompletedProgram, identifier } from "./completed.ts";

/** To be evaluated, or kept as `_NAME` in a directory of `fpath`. */
export function zshScript(program: CompletedProgram): string {
  const { name: called, commands, globals, lists } = program;
  const own = identifier(program);
  const functions = Object.entries(lists).map(
    ([named, list]) => `_${own}_${named}() { compadd -- \${(f)"$(${list})"} }\n`,
  );
  const cases = commands.map(({ name, options, takes, words }) => {
    const named = takes.map((each) => `; _${own}_${each}`).join("");
    const choice = words.length === 0 ? "" : `; compadd -- ${words.join(" ")}`;
    return `    (${name}) options=(${described(options)})${choice}${named === "" && choice === "" ? "; _files" : named} ;;`;
  });
  const all = commands.map(({ name, summary }) => quoted(`${name}:${summary}`)).join(" ");
  return `#compdef ${called}

${functions.join("\n")}
_${called}() {
  local verb="" word
  local -a options commands
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in (-*) ;; (*) verb="$word"; break ;; esac
  done
  case "$verb" in
    ("")
      options=(${described(globals)})
      commands=(${all})
      _describe command commands
      ;;
${cases.join("\n")}
  esac
  _describe -o option options
}

if [ "$funcstack[1]" = "_${called}" ]; then _${called} "$@"; else compdef _${called} ${called}; fi
`;
}

function described(options: readonly CompletedOption[]): string {
  return options.map(({ name, about }) => quoted(`--${name}:${about}`)).join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
