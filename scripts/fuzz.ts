// `pnpm fuzz TARGET --seconds N [--seed S]`: one parser and as many inputs as there is time for.
import { parseArgs } from "node:util";
import { buildPackages } from "./lib/build-all.ts";
import { tool } from "./lib/run.ts";

/** Each target, and the package that its parser is in. */
const TARGETS: Readonly<Record<string, string>> = {
  yamux: "agent-protocol",
  "process-stream": "agent-protocol",
  ttrpc: "agent-protocol",
  "grpc-replies": "agent-protocol",
  hpack: "agent-protocol",
  "http2-answers": "agent-protocol",
  "http2-calls": "agent-protocol",
  qmp: "qemu-driver",
  console: "qemu-driver",
  iproute: "netns",
  dns: "netns",
  "config-json": "runtime",
  "process-json": "runtime",
  "configuration-toml": "runtime",
  annotations: "runtime",
  "command-line": "runtime-cli",
  records: "virtcontainers",
};

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
  allowPositionals: true,
});
const [target = ""] = positionals;
const project = TARGETS[target];
if (project === undefined) {
  process.stderr.write(`usage: pnpm fuzz TARGET --seconds N [--seed S]\ntargets: ${Object.keys(TARGETS).join(", ")}\n`);
  process.exit(2);
}
await buildPackages();
await tool("vitest", ["run", "--project", project, "-t", `fuzz ${target}:`], {
  KATA_FUZZ_SECONDS: values.seconds,
  ...(values.seed === undefined ? {} : { KATA_FUZZ_SEED: values.seed }),
});
