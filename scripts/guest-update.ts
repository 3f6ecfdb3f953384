// `npm run guest:update`: fetches the index of the guest's packages anew and builds the guest of today's versions. A tuned
// kernel is compiled anew where its source or compiler is newer. Prints what the guest is made of.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildPackages, buildTree } from "./lib/build-all.ts";
import { DIST } from "./lib/paths.ts";

await buildPackages();
const { refreshArchive, tunedKernelIsBuilt } = await import("@kata-ts/guest-image");
const kernel = (await tunedKernelIsBuilt()) ? "tuned" : "distribution";
await refreshArchive({ onProgress: (line) => process.stdout.write(`  ${line}\n`) });
await buildTree(kernel);
process.stdout.write(await readFile(join(DIST, "share", "kata-ts", "guest-versions.json"), "utf8"));
