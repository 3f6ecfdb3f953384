// `npm run test:templates`: end-to-end tests with VMs that are cloned from a template, as far as they use the installed
// configuration. Names of suites may follow; with --cache first, VMs come from the cache as well.
import { buildPackages, buildTree } from "./lib/build-all.ts";
import { endToEndSuites, runEndToEnd } from "./lib/e2e-suites.ts";
import { fromTemplates } from "./lib/from-templates.ts";

await buildPackages();
await buildTree("tuned");
const cached = process.argv[2] === "--cache";
const given = process.argv.slice(cached ? 3 : 2);
const suites = given.length > 0 ? given : endToEndSuites().either;
await fromTemplates(() => runEndToEnd(suites), cached ? 2 : 0);
