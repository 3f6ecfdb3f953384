import { FileStore, parseContainerId } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { FrontBundle } from "./bundle.ts";
import { portsIn } from "./network-place.ts";
import { containerPortOf, hostPlaceOf } from "./ports.ts";

export const manual: Manual = {
  operands: "NAME [PORT[/tcp|udp]]",
  options: {},
  notes: ["Prints a line for each published port; of one port of the container only where the host listens for it."],
  examples: ["port web", "port web 80"],
};

export const verb: Verb = async (args, { globals }) => {
  const [name, wanted, ...more] = parseAnywhere(args, manual.options).words;
  if (name === undefined || more.length > 0) throw new UsageError('"port" requires a container, and at most a port');
  const id = parseContainerId(name);
  await new FileStore(globals.root).read(id);
  const ports = portsIn(FrontBundle.pathOf(id));
  if (wanted === undefined) {
    print(ports.map((port) => `${containerPortOf(port)} -> ${hostPlaceOf(port)}\n`).join(""));
    return 0;
  }
  const [, number, protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(wanted) ?? [];
  if (number === undefined) throw new UsageError(`a port is PORT or PORT/udp, not "${wanted}"`);
  const found = ports.filter((port) => containerPortOf(port) === `${number}/${protocol}`);
  if (found.length === 0) throw new Error(`${name} publishes no port ${number}/${protocol}`);
  print(found.map((port) => `${hostPlaceOf(port)}\n`).join(""));
  return 0;
};
