// `pnpm run pack`: every package as it is published, and the bill of materials, in dist/packages.
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { buildPackages } from "./lib/build-all.ts";
import { buildGuestPackage } from "./lib/guest-package.ts";
import { packAll, writeBillOfMaterials } from "./lib/pack.ts";
import { ROOT } from "./lib/paths.ts";

await buildPackages();
await buildGuestPackage();
const directory = join(ROOT, "dist", "packages");
for (const tarball of await packAll(directory)) {
  process.stdout.write(`${String(Math.ceil(statSync(tarball).size / 1024)).padStart(5)} KiB  ${basename(tarball)}\n`);
}
await writeBillOfMaterials(join(directory, "sbom.cdx.json"));
