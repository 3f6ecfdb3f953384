// `npm run release:version`: the changesets that are there become one version of all packages, and their change logs.
import { tool } from "./lib/run.ts";
import { writeVersions } from "./lib/versions.ts";

await tool("changeset", ["version"]);
const version = writeVersions();
await tool("biome", ["check", "--write", "packages"]);
process.stdout.write(`${version}\n`);
