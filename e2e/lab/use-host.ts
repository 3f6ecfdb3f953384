import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, onTestFailed } from "vitest";
import { ROOT } from "../harness/paths.ts";
import { resumeKataHost } from "./kata-host.ts";
import { LabHost } from "./lab-host.ts";
import { type HostConfiguration, preparation } from "./shell.ts";
import { labSuite } from "./suites.ts";

/** Where failing tests leave what is known of their hosts. */
const EVIDENCE: string = process.env.KATA_LAB_EVIDENCE ?? join(ROOT, "dist", "lab-failures");

/** The directory of a host that `npm run lab -- up` has up. A test that is being written runs in it and starts none. */
const UP: string | undefined = process.env.KATA_LAB_HOST;

/**
 * A host for the tests of a file, with words for its shell: resumed before the first of them, ended after the last. A
 * test that fails leaves the host's journal, and the consoles of host and guests, below dist/lab-failures.
 */
export function useHost(configuration: HostConfiguration = {}): () => LabHost {
  const suite = labSuite();
  let host: LabHost | undefined;
  const started = (): LabHost => {
    if (host === undefined) throw new Error("the laboratory's host is not there");
    return host;
  };
  beforeAll(async () => {
    host = UP === undefined ? await resumeKataHost(suite) : LabHost.join(UP);
    await host.ok(preparation(configuration));
  });
  beforeEach(({ task }) => {
    const directory = join(EVIDENCE, `${suite} ${task.name.replaceAll(/[^\w ,.-]/g, "_")}`);
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
