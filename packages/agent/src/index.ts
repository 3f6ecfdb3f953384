/**
 * kata-agent as a library: serve the Kata 1.x contract over any channel.
 *
 * @module
 */
export { Commands } from "./commands.ts";
export { Reaper } from "./reaper.ts";
export { Sandbox, type SandboxDependencies } from "./sandbox/sandbox.ts";
export { serveChannel } from "./serve.ts";
export { createHandlers } from "./service.ts";
