import { type CompletedCommand, type CompletedOption, GLOBALS, LIST_CONTAINERS } from "./completed.ts";

/** To be evaluated, or kept as `_kata-runtime` in a directory of `fpath`. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, options, takesContainer }) => {
    const then = takesContainer ? "_kata_runtime_ids" : "_files";
    return `    (${name}) options=(${described(options)}); ${then} ;;`;
  });
  const all = commands.map(({ name, summary }) => quoted(`${name}:${summary}`)).join(" ");
  return `#compdef kata-runtime

_kata_runtime_ids() { compadd -- \${(f)"$(${LIST_CONTAINERS})"} }

_kata-runtime() {
  local verb="" word
  local -a options commands
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in (-*) ;; (*) verb="$word"; break ;; esac
  done
  case "$verb" in
    ("")
      options=(${described(GLOBALS)})
      commands=(${all})
      _describe command commands
      ;;
${cases.join("\n")}
  esac
  _describe -o option options
}

if [ "$funcstack[1]" = "_kata-runtime" ]; then _kata-runtime "$@"; else compdef _kata-runtime kata-runtime; fi
`;
}

function described(options: readonly CompletedOption[]): string {
  return options.map(({ name, about }) => quoted(`--${name}:${about}`)).join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
