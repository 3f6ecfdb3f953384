import {
  type AgentHandlers,
  endOfStream,
  parseJson,
  processFromMessage,
  type RuntimeSpec,
  resourcesFromMessage,
  type SpecProcess,
  type SpecResources,
  specFromMessage,
} from "@kata-ts/agent-protocol";
import { addEntropy, setDateTime } from "@kata-ts/linux";
import type { Commands } from "./commands.ts";
import type { Output } from "./container/output.ts";
import { cancelled, failedPrecondition, invalidArgument } from "./errors.ts";
import { parseOperation } from "./files/operation-shape.ts";
import type { Clock } from "./guest/clock.ts";
import { copyFile } from "./guest/copy-file.ts";
import { guestDetails } from "./guest/details.ts";
import { onlineCpus, onlineMemory } from "./guest/hotplug.ts";
import { listProcesses } from "./guest/processes.ts";
import { containerStats } from "./guest/stats.ts";
import type { DnsRelay } from "./network/dns-relay.ts";
import { listInterfaces } from "./network/links.ts";
import { addNeighbours } from "./network/neighbours.ts";
import { resetConnections } from "./network/reset-connections.ts";
import { listRoutes, updateRoutes } from "./network/routes.ts";
import { updateInterface } from "./network/update-interface.ts";
import { type NewContainer, type Sandbox, withUser } from "./sandbox/sandbox.ts";
import { AGENT_VERSION, API_VERSION } from "./version.ts";

const SERVING = 1;
/** One reply never carries more, whatever the caller asks for. */
const MAX_READ = 1024 * 1024;

/**
 * What this agent answers. RPCs that are missing here (tracing, memory probing) answer
 * UNIMPLEMENTED by name; docs/agent.md lists them.
 */
export function createHandlers(sandbox: Sandbox, commands: Commands, dns: DnsRelay, clock: Clock): AgentHandlers {
  const process = (request: { container_id: string; exec_id: string }) =>
    sandbox.container(request.container_id).process(request.exec_id === "" ? request.container_id : request.exec_id);
  return {
    check: () => Promise.resolve({ status: SERVING }),
    version: () => Promise.resolve({ grpc_version: API_VERSION, agent_version: AGENT_VERSION }),

    createSandbox: answerEmpty((request) => sandbox.create(request)),
    destroySandbox: answerEmpty(() => sandbox.destroy()),

    createContainer: answerEmpty(async (request) => {
      if (request.OCI === undefined || request.OCI === null) throw invalidArgument("OCI spec is missing");
      await sandbox.createContainer(request, withUser(specFromMessage(request.OCI), request.string_user));
    }),
    createFromConfig: async ({ container, config, one_output: oneOutput, user }) => {
      if (container === undefined || container === null) throw invalidArgument("container is missing");
      // Decoded, and so with its defaults filled in.
      const request = container as NewContainer;
      const spec = jsonOf(config, "config") as RuntimeSpec;
      return sandbox.ticket(await sandbox.createContainer(request, spec, { oneOutput, user }));
    },
    startContainer: answerEmpty((request) => sandbox.start(request.container_id)),
    removeContainer: answerEmpty((request) => sandbox.removeContainer(request.container_id)),
    pauseContainer: answerEmpty((request) => sandbox.container(request.container_id).pause()),
    resumeContainer: answerEmpty((request) => sandbox.container(request.container_id).resume()),
    getOOMEvent: async (_request, { signal }) => {
      const containerId = await sandbox.oom.next(signal);
      if (containerId === undefined) throw cancelled();
      return { container_id: containerId };
    },
    updateFromConfig: answerEmpty((request) =>
      sandbox.container(request.container_id).update(jsonOf(request.resources, "resources") as SpecResources),
    ),
    updateContainer: answerEmpty((request) =>
      sandbox.container(request.container_id).update(resourcesFromMessage(request.resources ?? {})),
    ),
    statsContainer: (request) => Promise.resolve(containerStats(sandbox.container(request.container_id).cgroup)),

    execProcess: answerEmpty(async (request) => {
      if (request.process === undefined || request.process === null) throw invalidArgument("process is missing");
      await sandbox.exec(request.container_id, request.exec_id, processFromMessage(request.process));
    }),
    execFromConfig: async (request) => {
      const process = jsonOf(request.process, "process") as SpecProcess;
      const { container_id, exec_id, one_output: oneOutput, own_cgroup: ownCgroup, cgroup, user } = request;
      const wishes = { oneOutput, ownCgroup, user, ...(cgroup === "" ? {} : { cgroup }) };
      return sandbox.ticket(await sandbox.exec(container_id, exec_id, process, wishes));
    },
    openStream: (request) => Promise.resolve(sandbox.ticket({ process: process(request), warnings: [] })),
    renameContainer: answerEmpty((request) => {
      sandbox.rename(request.container_id, request.new_id);
    }),
    signalProcess: answerEmpty((request) =>
      sandbox.container(request.container_id).signal(request.exec_id, request.signal),
    ),
    waitProcess: async (request, { signal }) => ({
      status: await sandbox.container(request.container_id).wait(request.exec_id, signal),
    }),
    listProcesses: async (request) => {
      const pids = sandbox.container(request.container_id).pids();
      return { process_list: await listProcesses(commands, pids, request.format, request.args) };
    },

    writeStdin: async (request) => ({
      len: (await process(request).stdio.stdin.write(request.data)) ? request.data.length : 0,
    }),
    closeStdin: answerEmpty((request) => {
      process(request).stdio.stdin.end();
    }),
    readStdout: (request, { signal }) => readOutput(process(request).stdio.stdout, request.len, signal),
    readStderr: (request, { signal }) => readOutput(process(request).stdio.stderr, request.len, signal),
    ttyWinResize: answerEmpty((request) => {
      const { stdio } = process(request);
      if (stdio.resize === undefined) throw failedPrecondition(`Process ${request.exec_id} has no terminal`);
      stdio.resize({ rows: request.row, columns: request.column });
    }),

    updateInterface: async (request) => {
      if (request.interface === undefined || request.interface === null) throw invalidArgument("interface is missing");
      return updateInterface(commands, request.interface);
    },
    updateRoutes: async (request) => ({ Routes: await updateRoutes(commands, request.routes?.Routes ?? []) }),
    listInterfaces: async () => ({ Interfaces: await listInterfaces(commands) }),
    listRoutes: async () => ({ Routes: await listRoutes(commands) }),
    addARPNeighbors: answerEmpty((request) => addNeighbours(commands, request.neighbors?.ARPNeighbors ?? [])),

    operateOnFiles: (request) => sandbox.operateOnFiles(request.container_id, parseOperation(request.operation)),

    followClock: answerEmpty(() => clock.follow()),
    serveDns: answerEmpty((request) => dns.listen(request.address)),
    resetConnections: answerEmpty(() => {
      resetConnections();
    }),

    onlineCPUMem: answerEmpty(async (request) => {
      const online = onlineCpus(request.nb_cpus).then(() => (request.cpu_only ? undefined : onlineMemory()));
      if (request.wait) await online;
      else online.catch(() => undefined);
    }),
    reseedRandomDev: answerEmpty((request) => {
      addEntropy(request.data);
    }),
    setGuestDateTime: answerEmpty((request) => {
      setDateTime(Number(request.Sec.toString()), Number(request.Usec.toString()));
    }),
    getGuestDetails: (request) => Promise.resolve(guestDetails(request.mem_block_size, request.mem_hotplug_probe)),
    copyFile: answerEmpty(copyFile),
  };
}

/** Handlers whose RPC returns google.protobuf.Empty. A synchronous throw becomes a rejection. */
function answerEmpty<Request>(
  handle: (request: Request) => Promise<void> | void,
): (request: Request) => Promise<object> {
  return async (request) => {
    await handle(request);
    return {};
  };
}

async function readOutput(output: Output | undefined, length: number, signal: AbortSignal): Promise<{ data: Buffer }> {
  const data = await output?.read(Math.min(length, MAX_READ), signal);
  if (data === undefined) throw endOfStream();
  return { data };
}

/** The host is trusted with what it asks for; that it is JSON is checked. */
function jsonOf(bytes: Uint8Array, what: string): object {
  try {
    const value = parseJson(Buffer.from(bytes).toString());
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // reported below
  }
  throw invalidArgument(`${what} is not a JSON object`);
}
