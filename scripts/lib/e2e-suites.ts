import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { rotated } from "../../e2e/harness/rotation.ts";
import { ROOT } from "./paths.ts";
import { tool } from "./run.ts";

/** What looks at a boot, at an installation or at the host alone, or says itself where its VMs come from. */
const OWN_WAY: ReadonlySet<string> = new Set([
  ...[
    "agent",
    "agent-load",
    "agent-network",
    "agent-sandbox",
    "boot",
    "consumer",
    "embedded",
    "fault-matrix",
    "guest-faults",
  ],
  ...[
    "hostile-agent",
    "hostile-guest",
    "install",
    "interruption",
    "kata-1x",
    "links",
    "oci-image",
    "readme",
    "template",
  ],
  // Its host has a /run of its own, where this machine's templates are not.
  "systemd",
  ...["bill-of-materials", "front-errors", "launchers", "loading", "ttrpc", "vm-cache"],
]);

/** Those that take a minute or more, the longest first: they are spread evenly over the days. */
const LONG: readonly string[] = [
  ...["docker", "stdio", "lifecycle", "network-endpoints", "network", "network-late", "block-rootfs", "pods", "limits"],
  ...["nested", "time", "front", "network-faults", "signals", "run"],
];

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
  const either = names.filter((name) => !OWN_WAY.has(name)).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const turn = new Set(rotated(either, BOOTED_SHARES));
  return {
    booted: names.filter((name) => OWN_WAY.has(name) || turn.has(name)),
    cloned: either.filter((name) => !turn.has(name)),
    either,
  };
}

function rank(name: string): number {
  const place = LONG.indexOf(name);
  return place < 0 ? LONG.length : place;
}

export function runEndToEnd(
  suites: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  return tool("vitest", ["run", "--root", "e2e", ...suites.map((name) => `test/${name}.test.ts`)], environment);
}
