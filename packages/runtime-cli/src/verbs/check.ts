import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Configuration } from "@kata-ts/runtime";
import { openRuntime, VERSION } from "@kata-ts/runtime";
import { type HostReport, inspectHost, KataError, type Prerequisite } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { ageWarning, describeAge, guestAge } from "../output/guest-age.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "",
  options: {
    json: { type: "boolean", about: "as JSON, for programs" },
    probe: { type: "boolean", about: "try KVM anew, whatever is remembered of it" },
    verbose: { type: "boolean", short: "v", about: "for callers of Kata: not used" },
    strict: { type: "boolean", short: "s", about: "also whether the parts of this installation are of one version" },
    "no-network-checks": {
      type: "boolean",
      short: "n",
      about: "for callers of Kata: nothing is looked up in a network",
    },
    "check-version-only": { type: "boolean", about: "for callers of Kata: tells that no releases are looked up" },
    "only-list-releases": { type: "boolean", about: "for callers of Kata: the same" },
    "include-all-releases": { type: "boolean", about: "for callers of Kata: not used" },
  },
  notes: [
    "Looks at everything that a container would need, and boots a guest to learn whether KVM works. The answer is",
    "remembered for this kernel of the host, this QEMU and this kernel of the guest, until a guest proves it wrong.",
    "Ends with 1 where something is missing that cannot be done without.",
  ],
};

const CAPABLE = `System is capable of running Kata Containers
System can currently create Kata Containers
`;
const CONSISTENT = "Version consistency of Kata Containers is verified\n";

/** @throws Error naming the part that is of another version, or no part of this installation */
async function checkVersions({ proxyPath, shimPath }: Configuration): Promise<boolean> {
  for (const path of [proxyPath, shimPath]) {
    const { stdout } = await promisify(execFile)(path, ["-version"]);
    if (!stdout.trim().endsWith(` ${VERSION}`)) {
      throw new KataError("KATA_CONFIG", `${path} is of another version than ${VERSION}: ${stdout.trim()}`, {
        hint: "install one version of kata-ts, and name its programs in configuration.toml",
      });
    }
  }
  return true;
}

/** Can this machine run it, with which accelerator, what is missing, and how to get it. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"check" takes no arguments: ${words.join(" ")}`);
  if (options.flag("check-version-only") || options.flag("only-list-releases")) {
    print("No releases available\n");
    return 0;
  }
  const runtime = await openRuntime(context);
  const configuration = await runtime.configuration();
  const report = await inspectHost(configuration.qemu, { probe: options.flag("probe") });
  const isFit = report.prerequisites.every(({ problem, optional }) => problem === undefined || optional);
  const guest = guestAge(configuration.qemu.imagePath, new Date());
  if (options.flag("json")) print(`${JSON.stringify({ fit: isFit, ...report, guest }, null, 2)}\n`);
  else print(describe(report, isFit) + (guest === undefined ? "" : `${describeAge(guest)}\n`));
  for (const warning of runtime.configurationWarnings) context.log.warning(warning);
  const old = guest === undefined ? undefined : ageWarning(guest);
  if (old !== undefined) context.log.warning(old);
  const isConsistent = !options.flag("strict") || (await checkVersions(configuration));
  // What scripts of Kata 1.x look for.
  if (context.globals.verb === "kata-check" && !options.flag("json")) print(isFit ? CAPABLE : "");
  if (options.flag("strict") && isConsistent && !options.flag("json")) print(CONSISTENT);
  return isFit && isConsistent ? 0 : 1;
};

function describe({ prerequisites, accelerator }: HostReport, isFit: boolean): string {
  const width = Math.max(...prerequisites.map(({ name }) => name.length));
  const lines = prerequisites.map((prerequisite) => line(prerequisite, width));
  const how =
    accelerator === undefined ? "" : ` Guests run under ${accelerator.accelerator}: ${reasonFor(accelerator)}.`;
  const verdict = isFit ? "This machine can run containers." : "This machine cannot run containers yet.";
  return `${lines.join("\n")}\n\n${verdict}${how}\n`;
}

function reasonFor({ reason, found }: NonNullable<HostReport["accelerator"]>): string {
  return found === undefined ? reason : `${reason} (found ${found}; --probe tries it anew)`;
}

function line({ name, found, problem, remedy, optional }: Prerequisite, width: number): string {
  const label = name.padEnd(width);
  if (problem === undefined) return `ok       ${label}  ${found}`;
  return `${optional ? "without " : "MISSING "} ${label}  ${found} ${problem}: ${remedy ?? ""}`;
}
