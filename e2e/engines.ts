// `npm run test:engines [-- SUITE…]`: the engines of other releases of Debian, each in a root file system of its own, with
// the same end-to-end tests as this machine's, and those of what is new in them. All releases, or those given.
import { buildPackages, buildTree } from "../scripts/lib/build-all.ts";
import { runEndToEnd } from "../scripts/lib/e2e-suites.ts";
import { tool } from "../scripts/lib/run.ts";

const RELEASES = ["trixie", "forky"];
const SUITES = ["engine-configuration", "docker", "containerd", "cri", "shim-v2", "podman", "podman-checkpoint"];

const given = process.argv.slice(2);
const unknown = given.filter((name) => !RELEASES.includes(name));
if (unknown.length > 0) throw new Error(`no engines of ${unknown.join(", ")}; there are ${RELEASES.join(", ")}`);
await buildPackages();
await buildTree("tuned");
const failed: string[] = [];
for (const release of given.length > 0 ? given : RELEASES) {
  const environment = { KATA_TEST_ENGINES: release };
  await runEndToEnd(SUITES, environment).catch(() => failed.push(`the suites with ${release}'s engines`));
  const newer = tool("vitest", ["run", "--root", "e2e", "--config", "newer-engines/vitest.config.ts"], environment);
  await newer.catch(() => failed.push(`what is new in ${release}`));
}
if (failed.length > 0) throw new Error(`these failed: ${failed.join(", ")}`);
