// `npm run test:hosts [-- SUITE…] [-- --full]`: what a fresh machine does, on root file systems of Debian's releases that
// are made for it. With --full, `npm test` runs in them, too, which takes hours.
import { parseArgs } from "node:util";
import { buildPackages } from "./lib/build-all.ts";
import { tool } from "./lib/run.ts";

const { values, positionals } = parseArgs({ options: { full: { type: "boolean" } }, allowPositionals: true });
await buildPackages();
await tool("vitest", ["run", "--root", "e2e", "--config", "hosts/vitest.config.ts"], {
  KATA_TEST_HOSTS: positionals.join(" "),
  ...(values.full === true ? { KATA_TEST_HOSTS_FULL: "1" } : {}),
});
