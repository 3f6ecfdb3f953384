import { agent } from "./agent.ts";
import { agentProtocol } from "./agent-protocol.ts";
import type { Handler } from "./handler.ts";
import { linux } from "./linux.ts";
import { ociImage } from "./oci-image.ts";
import { proxy } from "./proxy.ts";
import { qemuDriver } from "./qemu-driver.ts";
import { runtimeCli } from "./runtime-cli.ts";
import { virtcontainers } from "./virtcontainers.ts";

export type { Handler } from "./handler.ts";

/** All handlers, by the package that has them. */
export const HANDLERS: readonly Handler[] = [
  ...agent,
  ...agentProtocol,
  ...linux,
  ...ociImage,
  ...proxy,
  ...qemuDriver,
  ...runtimeCli,
  ...virtcontainers,
];
