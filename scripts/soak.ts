// `npm run test:soak`: the tests that grow, at sizes that take long: a gigabyte, a thousand processes.
import { buildPackages, buildTree } from "./lib/build-all.ts";
import { tool } from "./lib/run.ts";

await buildPackages();
await buildTree("tuned");
const suites = [
  "stdio",
  "stdio-memory",
  "network",
  "network-endpoints",
  "network-late",
  "network-faults",
  "network-cni",
  "lifecycle",
  "shim-load",
];
await tool("vitest", ["run", "--root", "e2e", ...suites.map((name) => `test/${name}.test.ts`)], {
  KATA_TEST_FAST_EXITS: "1000",
  KATA_TEST_STREAM_MIB: "1024",
  KATA_TEST_ROTATION: "all",
  KATA_TEST_ROUNDS: "5",
  KATA_TEST_SEQUENCE: "200",
});
