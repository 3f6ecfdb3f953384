import { agent } from "./agent.ts";
import { agentProtocol } from "./agent-protocol.ts";
import { linux } from "./linux.ts";
import type { Mutant } from "./mutant.ts";
import { proxy } from "./proxy.ts";
import { qemuDriver } from "./qemu-driver.ts";
import { runtimeCli } from "./runtime-cli.ts";
import { shim } from "./shim.ts";
import { virtcontainers } from "./virtcontainers.ts";

export type { Mutant } from "./mutant.ts";

/** All mutants, by the package that has them. */
export const MUTANTS: readonly Mutant[] = [
  ...agent,
  ...agentProtocol,
  ...linux,
  ...proxy,
  ...qemuDriver,
  ...runtimeCli,
  ...shim,
  ...virtcontainers,
];
