// `npm run test:lab [-- SUITE…]`: the tests that need a host of another kind, in virtual machines: KVM, systemd, cgroup v2.
// All of them on every release, or on those given.
import { HOST_SUITES } from "../e2e/lab/suites.ts";
import { buildPackages, buildTree } from "./lib/build-all.ts";
import { runLaboratory } from "./lib/laboratory.ts";

await buildPackages();
await buildTree("tuned");
const given = process.argv.slice(2);
const unknown = given.filter((name) => !HOST_SUITES.some((suite) => suite === name));
if (unknown.length > 0) throw new Error(`no such host: ${unknown.join(", ")}; there are ${HOST_SUITES.join(", ")}`);
for (const suite of HOST_SUITES) if (given.length === 0 || given.includes(suite)) await runLaboratory(suite);
