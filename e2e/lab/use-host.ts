import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, onTestFailed } from "vitest";
import { ROOT } from "../harness/paths.ts";
import { resumeKataHost } from "./kata-host.ts";
import type { LabHost } from "./lab-host.ts";
import { HOST_SUITES, type HostSuite } from "./suites.ts";

/** The release that the tests of this run have as their host. */
const SUITE: HostSuite = HOST_SUITES.find((suite) => suite === process.env.KATA_LAB_SUITE) ?? "bookworm";

/** Where failing tests leave what is known of their hosts. */
const EVIDENCE: string = join(ROOT, "dist", "lab-failures");

/**
 * A host for the tests of a file, with helpers for its shell: resumed before the first of them, ended after the last. A
 * test that fails leaves the host's journal, and the consoles of host and guests, below dist/lab-failures.
 */
export function useHost(): () => LabHost {
  let host: LabHost | undefined;
  const started = (): LabHost => {
    if (host === undefined) throw new Error("the laboratory's host is not there");
    return host;
  };
  beforeAll(async () => {
    host = await resumeKataHost(SUITE);
    await host.ok(HELPERS);
  });
  beforeEach(({ task }) => {
    const directory = join(EVIDENCE, `${SUITE} ${task.name.replaceAll(/[^\w ,.-]/g, "_")}`);
    rmSync(directory, { recursive: true, force: true });
    onTestFailed(async ({ task: { result } }) => {
      await started().leaveEvidence(directory);
      const errors = result?.errors?.map(({ message }) => message) ?? [];
      writeFileSync(join(directory, "errors.log"), errors.join("\n"));
    });
  });
  afterAll(() => host?.[Symbol.asyncDispose]());
  return started;
}

/** Written once to a file that scripts read with `. lab`. A guest is small and patient: its KVM is emulated. */
const HELPERS = `
mkdir -p /etc/kata-ts
cat >/etc/kata-ts/configuration.toml <<'TOML'
[hypervisor.qemu]
default_memory = 512
[runtime]
boot_timeout = 240
TOML
cat >/usr/local/bin/lab <<'SH'
set -eu
# start NAME: its container, in the background; what it writes is lost.
start() {
  kata-runtime --log "/root/$1.log" run --detach --bundle "/root/$1" "$1" </dev/null >/dev/null 2>&1 || { cat "/root/$1.log"; exit 1; }
}
# is WHAT ACTUAL EXPECTED: fails with both where they differ.
is() { [ "$2" = "$3" ] || { printf '%s: got "%s", not "%s"\\n' "$1" "$2" "$3"; exit 1; }; }
SH
`;
