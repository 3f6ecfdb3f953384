import type { OptionTable } from "../arguments/parse.ts";
import { optionLines } from "./manual.ts";

/** What `kata-runtime --help` prints: every verb with its summary. */
export function usage(summaries: Readonly<Record<string, string>>, globals: OptionTable): string {
  const lines = Object.entries(summaries).map(([verb, summary]) => `  ${verb.padEnd(14)}${summary}`);
  return `kata-runtime: an OCI runtime whose containers run in virtual machines

usage: kata-runtime [global options] COMMAND [options] [arguments]

commands:
${lines.join("\n")}

global options:
${optionLines(globals)}

kata-runtime COMMAND --help shows how a command is called. First steps on a new machine:

  kata-runtime check                       # can it run containers here?
  kata-runtime spec --bundle DIR           # an example config.json beside DIR/rootfs
  kata-runtime run --bundle DIR first      # a container in a virtual machine
`;
}
