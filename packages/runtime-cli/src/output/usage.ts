const SUMMARIES: Readonly<Record<string, string>> = {
  checkpoint: "not supported: says so",
  create: "create a container from a bundle",
  delete: "delete a container and its virtual machine",
  events: "show figures of a container, and when it runs out of memory",
  exec: "run another process in a container",
  gc: "remove what belongs to no living sandbox; --dry-run: only look",
  features: "show what this runtime supports, as JSON",
  "kata-engine": "print, or write, what an engine has to be told of this runtime",
  "kata-network": "list and change the interfaces and routes of a container",
  kill: "send a signal to a container",
  list: "list containers",
  pause: "freeze all processes of a container",
  ps: "list the processes of a container",
  restore: "not supported: says so",
  resume: "thaw a paused container",
  run: "create and start a container, and wait for it",
  spec: "write an example config.json",
  start: "start a created container",
  state: "show the state of a container, as JSON",
  update: "change the limits of a container",
};

export function usage(verbs: readonly string[]): string {
  const lines = verbs.map((verb) => `  ${verb.padEnd(14)}${SUMMARIES[verb] ?? ""}`);
  return `kata-runtime: an OCI runtime whose containers run in virtual machines

usage: kata-runtime [global options] COMMAND [options] [arguments]

commands:
${lines.join("\n")}

global options:
  --root DIR          where container records are kept (default /run/kata-ts/containers)
  --log FILE          append log entries to this file
  --log-format FORMAT text or json
  --config FILE       configuration.toml to use (alias --kata-config)
  --debug             log more
  --systemd-cgroup    cgroupsPath may be systemd's "slice:prefix:name": it always may
  --version, -v       show the version
  --help, -h          show this
`;
}
