import { type AgentHandlers, processFromMessage, resourcesFromMessage } from "@kata-ts/agent-protocol";
import { addEntropy, setDateTime } from "@kata-ts/linux";
import type { Commands } from "./commands.ts";
import { invalidArgument } from "./errors.ts";
import { copyFile } from "./guest/copy-file.ts";
import { guestDetails } from "./guest/details.ts";
import { onlineCpus, onlineMemory } from "./guest/hotplug.ts";
import { listProcesses } from "./guest/processes.ts";
import { containerStats } from "./guest/stats.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import { AGENT_VERSION, API_VERSION } from "./version.ts";

const SERVING = 1;
/** One reply never carries more, whatever the caller asks for. */
const MAX_READ = 1024 * 1024;

/**
 * What this agent answers. RPCs that are missing here (terminals, network, OOM events, tracing, memory probing) answer
 * UNIMPLEMENTED by name; docs/agent.md lists them.
 */
export function createHandlers(sandbox: Sandbox, commands: Commands): AgentHandlers {
  const process = (request: { container_id: string; exec_id: string }) =>
    sandbox.container(request.container_id).process(request.exec_id === "" ? request.container_id : request.exec_id);
  return {
    check: () => Promise.resolve({ status: SERVING }),
    version: () => Promise.resolve({ grpc_version: API_VERSION, agent_version: AGENT_VERSION }),

    createSandbox: answerEmpty((request) => sandbox.create(request)),
    destroySandbox: answerEmpty(() => sandbox.destroy()),

    createContainer: answerEmpty((request) => sandbox.createContainer(request)),
    startContainer: answerEmpty((request) => sandbox.container(request.container_id).start()),
    removeContainer: answerEmpty((request) => sandbox.removeContainer(request.container_id)),
    pauseContainer: answerEmpty((request) => sandbox.container(request.container_id).pause()),
    resumeContainer: answerEmpty((request) => sandbox.container(request.container_id).resume()),
    updateContainer: answerEmpty((request) =>
      sandbox.container(request.container_id).update(resourcesFromMessage(request.resources ?? {})),
    ),
    statsContainer: (request) => containerStats(sandbox.container(request.container_id).cgroup),

    execProcess: answerEmpty((request) => {
      if (request.process === undefined || request.process === null) throw invalidArgument("process is missing");
      return sandbox.container(request.container_id).exec(request.exec_id, processFromMessage(request.process));
    }),
    signalProcess: answerEmpty((request) =>
      sandbox.container(request.container_id).signal(request.exec_id, request.signal),
    ),
    waitProcess: async (request, { signal }) => ({
      status: await sandbox.container(request.container_id).wait(request.exec_id, signal),
    }),
    listProcesses: async (request) => {
      const pids = await sandbox.container(request.container_id).pids();
      return { process_list: await listProcesses(commands, pids, request.format, request.args) };
    },

    writeStdin: async (request) => ({ len: await process(request).pipes.stdin.write(request.data) }),
    closeStdin: answerEmpty((request) => {
      process(request).pipes.stdin.end();
      return Promise.resolve();
    }),
    readStdout: async (request, { signal }) => ({
      data: await process(request).pipes.stdout.read(Math.min(request.len, MAX_READ), signal),
    }),
    readStderr: async (request, { signal }) => ({
      data: await process(request).pipes.stderr.read(Math.min(request.len, MAX_READ), signal),
    }),

    onlineCPUMem: answerEmpty(async (request) => {
      const online = onlineCpus(request.nb_cpus).then(() => {
        if (!request.cpu_only) onlineMemory();
      });
      if (request.wait) await online;
      else online.catch(() => undefined);
    }),
    reseedRandomDev: answerEmpty((request) => {
      addEntropy(request.data);
      return Promise.resolve();
    }),
    setGuestDateTime: answerEmpty((request) => {
      setDateTime(Number(request.Sec.toString()), Number(request.Usec.toString()));
      return Promise.resolve();
    }),
    getGuestDetails: (request) => Promise.resolve(guestDetails(request.mem_block_size, request.mem_hotplug_probe)),
    copyFile: answerEmpty(copyFile),
  };
}

/** Handlers whose RPC returns google.protobuf.Empty. A synchronous throw becomes a rejection. */
function answerEmpty<Request>(handle: (request: Request) => Promise<void>): (request: Request) => Promise<object> {
  return async (request) => {
    await handle(request);
    return {};
  };
}
