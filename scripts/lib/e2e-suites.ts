import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { rotated } from "../../e2e/harness/rotation.ts";
import { ROOT } from "./paths.ts";
import { tool } from "./run.ts";

/** What looks at a boot, at an installation or at the host alone, or says itself where its VMs come from. */
const OWN_WAY: ReadonlySet<string> = new Set([
  ...["agent", "agent-network", "agent-sandbox", "boot", "consumer", "embedded", "fault-matrix", "guest-faults"],
  ...["hostile-agent", "hostile-guest", "install", "interruption", "links", "oci-image", "readme", "template"],
  ...["ttrpc", "vm-cache"],
]);

/** In two of three days a suite's VMs are cloned, on the third they boot. */
const BOOTED_SHARES = 3;

export interface EndToEndSuites {
  readonly booted: readonly string[];
  readonly cloned: readonly string[];
  /** Whatever is not bound to booted ones. */
  readonly either: readonly string[];
}

/** All end-to-end suites, those of today's turn with VMs that boot, the others with clones. */
export function endToEndSuites(): EndToEndSuites {
  const names = readdirSync(join(ROOT, "e2e", "test")).map((file) => basename(file, ".test.ts"));
  const either = names.filter((name) => !OWN_WAY.has(name)).sort();
  const turn = new Set(rotated(either, BOOTED_SHARES));
  return {
    booted: names.filter((name) => OWN_WAY.has(name) || turn.has(name)),
    cloned: either.filter((name) => !turn.has(name)),
    either,
  };
}

export function runEndToEnd(
  suites: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  return tool("vitest", ["run", "--root", "e2e", ...suites.map((name) => `test/${name}.test.ts`)], environment);
}
