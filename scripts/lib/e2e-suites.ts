import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fromToday, rotated } from "../../e2e/harness/rotation.ts";
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
    "detached",
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
    "microvm",
    "oci-image",
    "readme",
    "shim-faults",
    "snapshots",
    "snapshots-of-pods",
    "template",
  ],
  // Its host has a /run of its own, where this machine's templates are not.
  "systemd",
  ...["bill-of-materials", "front-errors", "launchers", "loading", "ttrpc", "vm-cache"],
]);

/** Those that take a minute or more, the longest first: they are spread evenly over the days. */
const LONG: readonly string[] = [
  ...[
    "docker",
    "stdio",
    "lifecycle",
    "network-endpoints",
    "network",
    "network-late",
    "block-rootfs",
    "checkpoint",
    "pods",
  ],
  ...["limits", "nested", "time", "front", "front-images", "network-faults", "signals", "run"],
];

/**
 * Of three days, a suite's VMs boot on one and are cloned on one. On the third it rests: the whole takes too long for each
 * change. So those that have to boot do on one of two days.
 */
const DAYS = 3;
const OWN_DAYS = 2;

export interface EndToEndSuites {
  readonly booted: readonly string[];
  readonly cloned: readonly string[];
  /** All that are not bound to booted ones. */
  readonly either: readonly string[];
}

/** The end-to-end suites of today: those whose turn it is to boot, and those whose turn it is to be cloned. */
export function endToEndSuites(): EndToEndSuites {
  const names = readdirSync(join(ROOT, "e2e", "test")).map((file) => basename(file, ".test.ts"));
  const either = names.filter((name) => !OWN_WAY.has(name)).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const turn = new Set(rotated(either, DAYS));
  const own = new Set(rotated([...OWN_WAY].sort(), OWN_DAYS));
  return {
    booted: fromToday(names.filter((name) => turn.has(name) || own.has(name))),
    cloned: fromToday(rotated(either, DAYS, 1)),
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

/**
 * Runs suites one after the other, and begins none once the time is over.
 *
 * @param untilMs on the clock of `performance.now()`
 * @returns those that did not begin
 * @throws Error with the names of those that failed
 */
export async function runEndToEndUntil(
  untilMs: number,
  suites: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string[]> {
  const failed: string[] = [];
  const left = [...suites];
  while (left.length > 0 && performance.now() < untilMs) {
    const name = left.shift() ?? "";
    await runEndToEnd([name], environment).catch(() => failed.push(name));
  }
  if (failed.length > 0) throw new Error(`these failed: ${failed.join(", ")}`);
  return left;
}
