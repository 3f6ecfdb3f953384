import type { Reporter } from "vitest/node";

const GRACE_MS = 60_000;

/** A test that hangs can keep its worker, and with it the run, for ever. By then all results are printed: the run ends. */
export default class NoHangingWorkers implements Reporter {
  onTestRunEnd(): void {
    setTimeout(() => {
      process.stderr.write("a test's process does not end: giving it up\n");
      process.exit(1);
    }, GRACE_MS).unref();
  }
}
