// `npm run docs`: the API reference of all packages, in dist/docs.
import { join } from "node:path";
import { apiReference } from "./lib/api-reference.ts";
import { buildPackages } from "./lib/build-all.ts";
import { ROOT } from "./lib/paths.ts";

await buildPackages();
await apiReference(join(ROOT, "dist", "docs"));
