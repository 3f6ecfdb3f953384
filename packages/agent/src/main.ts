import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { becomeSubreaper } from "@kata-ts/linux";
import { AGENT_PORT, findPort, openPort } from "./channel.ts";
import { Commands } from "./commands.ts";
import { Clock } from "./guest/clock.ts";
import { prepareGuest } from "./guest/prepare.ts";
import { log } from "./log.ts";
import { logCalls } from "./log-calls.ts";
import { DnsRelay } from "./network/dns-relay.ts";
import { Reaper } from "./reaper.ts";
import { Sandbox } from "./sandbox/sandbox.ts";
import { HostStreams, type ServeProcess, serveChannel } from "./serve.ts";
import { createHandlers } from "./service.ts";

/** Runs the agent until the guest goes away. */
export async function main(): Promise<void> {
  if (process.argv.includes("--make-cache")) return;
  log("starting");
  prepareGuest();
  if (process.pid !== 1) becomeSubreaper();
  const reaper = new Reaper();
  reaper.start();
  const commands = new Commands(reaper);
  const sandbox = new Sandbox({ commands, reaper, runtime: kernelParameter("agent.container_runtime") ?? "crun" });
  const host = new HostStreams();
  const openStream = (): Duplex => host.open();
  const all = createHandlers(sandbox, commands, new DnsRelay(openStream), new Clock(openStream));
  const handlers = kernelParameter("agent.log") === "debug" ? logCalls(all) : all;
  const device = await findPort(AGENT_PORT);
  for (;;) {
    const channel = await openPort(device);
    log("ready");
    const serveProcess: ServeProcess = (stream, token, channelIsOver) => {
      sandbox.serveProcess(stream, token, channelIsOver);
    };
    await serveChannel(channel, handlers, serveProcess, host);
    log("the host disconnected");
  }
}

function kernelParameter(name: string): string | undefined {
  const parameters = readFileSync("/proc/cmdline", "latin1").trim().split(" ");
  return parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
}

// An agent that cannot go on ends process 1: the kernel panics and the host learns it at once.
main().catch((error: unknown) => {
  log(`fatal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exit(1);
});
