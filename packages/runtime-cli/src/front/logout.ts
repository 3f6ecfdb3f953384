import { logOut } from "@kata-ts/oci-image";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { Interruption } from "../verbs/interruption.ts";
import { DEFAULT_REGISTRY } from "./login.ts";

export const manual: Manual = {
  operands: "[REGISTRY]",
  options: {},
  notes: ["Forgets the credentials of a registry, docker.io by default, as docker logout does."],
};

export const verb: Verb = async (args) => {
  const { words } = parseAnywhere(args, manual.options);
  const [registry = DEFAULT_REGISTRY, ...more] = words;
  if (more.length > 0) throw new UsageError('"logout" takes at most 1 argument: a registry');
  using interruption = new Interruption();
  const found = await logOut(registry, { signal: interruption.signal });
  print(found ? `logged out of ${registry}\n` : `not logged in to ${registry}\n`);
  return 0;
};
