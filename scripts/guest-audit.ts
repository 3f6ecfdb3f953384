// `npm run guest:audit`: which packages of the built guest have newer versions in Debian today, and which of them are
// security fixes. Ends with 1 where there are such fixes.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildPackages } from "./lib/build-all.ts";
import { auditGuest } from "./lib/guest-audit.ts";
import { DIST } from "./lib/paths.ts";

await buildPackages();
const { lines, fixes } = await auditGuest(
  await readFile(join(DIST, "share", "kata-ts", "guest-versions.json"), "utf8"),
);
process.stdout.write(`${lines.join("\n")}\n`);
process.exit(fixes === 0 ? 0 : 1);
