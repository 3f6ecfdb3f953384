// Installs what is missing with apt. Without it, or without root, says what to do instead.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { capture, fail, must } from "./processes.mjs";

const ENVIRONMENT = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };

export async function installMissing(needs) {
  const missing = needs.filter((need) => !need.isMet());
  if (missing.length === 0) return;
  const hasApt = (await capture("apt-get", ["--version"]).catch(() => ({ status: 127 }))).status === 0;
  if (!hasApt) fail(withoutApt(missing));
  if (process.getuid() !== 0) {
    fail(`something is missing; as root, run: apt-get install ${(await packagesFor(missing)).join(" ")}`);
  }
  console.log(`• installing distribution packages for ${missing.map(({ what }) => what).join(", ")} …`);
  await must("updating the package lists", "apt-get", ["-q", "update"], { env: ENVIRONMENT });
  const packages = await packagesFor(missing);
  const install = ["-q", "install", "-y", "--no-install-recommends", ...packages];
  await withoutServices(() => must("installing distribution packages", "apt-get", install, { env: ENVIRONMENT }));
  const still = missing.filter((need) => !need.isMet());
  if (still.length > 0) {
    fail(`installed ${packages.join(" ")}, and ${still.map(({ what }) => what).join(", ")} is still not there`);
  }
}

function withoutApt(missing) {
  const lines = missing.map(({ what, packages }) => `  ${what} (Debian's package ${packages.join(" or ")})`);
  const advice =
    "Building needs Debian or a distribution made from it, because the guest consists of its packages. Elsewhere install\n" +
    "a release, which `npm run release` makes there: docs/install.md.";
  return `this machine has no apt-get, and these are missing:\n${lines.join("\n")}\n${advice}`;
}

/** Of each need's alternatives the first that can be installed; the last where none can, whose name apt then reports. */
async function packagesFor(needs) {
  const chosen = new Set();
  for (const { packages } of needs) {
    let found = packages.at(-1);
    for (const name of packages.slice(0, -1)) {
      if (!(await hasCandidate(name))) continue;
      found = name;
      break;
    }
    chosen.add(found);
  }
  return [...chosen];
}

async function hasCandidate(name) {
  const { stdout } = await capture("apt-cache", ["policy", name], { env: { ...ENVIRONMENT, LC_ALL: "C" } });
  return /Candidate: (?!\(none\))\S/.test(stdout);
}

/** Debian starts the services that it installs. Tests start engines of their own, apart from the machine's network. */
async function withoutServices(body) {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return body();
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const remove = () => rmSync(policy, { force: true });
  process.once("exit", remove); // `must` ends the process where apt fails
  try {
    await body();
  } finally {
    process.off("exit", remove);
    remove();
  }
}
