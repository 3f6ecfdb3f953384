// `npm run release:publish [-- --provenance --registry=URL]`: builds, packs and publishes all packages, with npm's own credentials.
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { buildPackages } from "./lib/build-all.ts";
import { buildGuestPackage } from "./lib/guest-package.ts";
import { packAll, writeBillOfMaterials } from "./lib/pack.ts";
import { ROOT } from "./lib/paths.ts";
import { publishAll } from "./lib/publish.ts";
import { checkVersions } from "./lib/versions.ts";

const { values } = parseArgs({ options: { provenance: { type: "boolean" }, registry: { type: "string" } } });
checkVersions();
await buildPackages();
await buildGuestPackage();
const directory = join(ROOT, "dist", "packages");
const tarballs = await packAll(directory);
await writeBillOfMaterials(join(directory, "sbom.cdx.json"));
const published = await publishAll(tarballs, values);
process.stdout.write(`${String(published.length)} published: ${published.map((file) => basename(file)).join(", ")}\n`);
