import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { createAgentServer } from "@kata-ts/agent-protocol";
import { AGENT_SERIAL_PORT, AgentLog, AgentParameter } from "@kata-ts/agent-protocol/guest-contract";
import { becomeSubreaper } from "@kata-ts/linux";
import { findPort, openPort } from "./channel.ts";
import { Commands } from "./commands.ts";
import { runtimeProgram } from "./container/runtime-program.ts";
import { Clock } from "./guest/clock.ts";
import { prepareGuest } from "./guest/prepare.ts";
import { HostStreams } from "./host-streams.ts";
import { log } from "./log.ts";
import { logCalls } from "./log-calls.ts";
import { DnsRelay } from "./network/dns-relay.ts";
import { Reaper } from "./reaper.ts";
import { Sandbox } from "./sandbox/sandbox.ts";
import { type ServeProcess, serveChannel } from "./serve.ts";
import { serveVsock } from "./serve-vsock.ts";
import { createHandlers } from "./service.ts";
import { AGENT_VERSION } from "./version.ts";

/** Runs the agent until the guest goes away. */
export async function main(): Promise<void> {
  if (process.argv.includes("--version")) {
    console.log(`kata-agent version ${AGENT_VERSION}`);
    return;
  }
  log(AgentLog.starting);
  prepareGuest();
  if (process.pid !== 1) becomeSubreaper();
  const reaper = new Reaper();
  reaper.start();
  const commands = new Commands(reaper);
  const runtime = kernelParameter(AgentParameter.containerRuntime) ?? "crun";
  const sandbox = new Sandbox({ commands, reaper, runtime, program: await runtimeProgram(runtime, commands) });
  const host = new HostStreams();
  const openStream = (): ReturnType<HostStreams["open"]> => host.open();
  const all = createHandlers(sandbox, commands, new DnsRelay(openStream), new Clock(openStream));
  const handlers = kernelParameter(AgentParameter.log) === "debug" ? logCalls(all) : all;
  const serveProcess: ServeProcess = (stream, token, channelIsOver) => {
    sandbox.serveProcess(stream, token, channelIsOver);
  };
  if (kernelParameter(AgentParameter.useVsock) === "true") {
    serveVsock({ server: createAgentServer(handlers), serveProcess, host });
    log(AgentLog.ready);
    return;
  }
  const device = await findPort(AGENT_SERIAL_PORT);
  for (;;) {
    const channel = await openPort(device);
    log(AgentLog.ready);
    await serveChannel(channel, handlers, serveProcess, host);
    log(AgentLog.disconnected);
  }
}

function kernelParameter(name: string): string | undefined {
  const parameters = readFileSync("/proc/cmdline", "latin1").trim().split(" ");
  return parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
}

// An agent that cannot go on ends process 1: the kernel panics and the host learns it at once.
main().catch((error: unknown) => {
  log(`fatal: ${inspect(error)}`); // A stack of QuickJS's does not have the message.
  process.exit(1);
});
