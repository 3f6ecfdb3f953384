/**
 * A guest process's stand-in on the host, as a library; `kata-shim` is a thin program around it.
 *
 * @example
 * ```ts
 * import { connectAgent } from "@kata-ts/agent-protocol";
 * import { openProcessStreams, waitForProcess } from "@kata-ts/shim";
 *
 * using agent = connectAgent(url);
 * const address = { containerId: "web", execId: "web" };
 * openProcessStreams(agent, address).stdout.pipe(process.stdout);
 * const status = await waitForProcess(agent, address);
 * ```
 *
 * @module
 */
export { attach, forwardSignal } from "./attach.ts";
export { type HostStdio, openHostStdio } from "./host-stdio.ts";
export { main } from "./main.ts";
export {
  openProcessStreams,
  type ProcessAddress,
  type ProcessStreams,
  StdinClosed,
  waitForProcess,
} from "./process-streams.ts";
