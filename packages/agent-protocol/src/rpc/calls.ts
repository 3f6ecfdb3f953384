/**
 * All RPCs as data, without their codecs: one entry for each, with its path, how long a caller waits by default, and which
 * group of codecs it needs.
 */
import type { AgentRpcs, ExtensionRpcs, RpcName } from "./contract.ts";
import { bulk, type Call, CHECK_DEADLINE, call, waiting } from "./rpc.ts";

export const agentCalls: { readonly [N in keyof AgentRpcs]: Call } = {
  createContainer: call("specification", "grpc.AgentService/CreateContainer"),
  startContainer: call("process", "grpc.AgentService/StartContainer"),
  removeContainer: call("process", "grpc.AgentService/RemoveContainer"),
  execProcess: call("specification", "grpc.AgentService/ExecProcess"),
  signalProcess: call("process", "grpc.AgentService/SignalProcess"),
  waitProcess: waiting("process", "grpc.AgentService/WaitProcess"),
  listProcesses: bulk(call("process", "grpc.AgentService/ListProcesses")),
  updateContainer: call("specification", "grpc.AgentService/UpdateContainer"),
  statsContainer: call("statistics", "grpc.AgentService/StatsContainer"),
  pauseContainer: call("process", "grpc.AgentService/PauseContainer"),
  resumeContainer: call("process", "grpc.AgentService/ResumeContainer"),
  writeStdin: waiting("process", "grpc.AgentService/WriteStdin"),
  readStdout: bulk(waiting("process", "grpc.AgentService/ReadStdout")),
  readStderr: bulk(waiting("process", "grpc.AgentService/ReadStderr")),
  closeStdin: call("process", "grpc.AgentService/CloseStdin"),
  ttyWinResize: call("process", "grpc.AgentService/TtyWinResize"),
  updateInterface: call("network", "grpc.AgentService/UpdateInterface"),
  updateRoutes: call("network", "grpc.AgentService/UpdateRoutes"),
  listInterfaces: call("network", "grpc.AgentService/ListInterfaces"),
  listRoutes: call("network", "grpc.AgentService/ListRoutes"),
  addARPNeighbors: call("network", "grpc.AgentService/AddARPNeighbors"),
  startTracing: call("sandbox", "grpc.AgentService/StartTracing"),
  stopTracing: call("sandbox", "grpc.AgentService/StopTracing"),
  createSandbox: call("sandbox", "grpc.AgentService/CreateSandbox"),
  destroySandbox: call("sandbox", "grpc.AgentService/DestroySandbox"),
  onlineCPUMem: call("sandbox", "grpc.AgentService/OnlineCPUMem"),
  reseedRandomDev: call("sandbox", "grpc.AgentService/ReseedRandomDev"),
  getGuestDetails: call("sandbox", "grpc.AgentService/GetGuestDetails"),
  memHotplugByProbe: call("sandbox", "grpc.AgentService/MemHotplugByProbe"),
  setGuestDateTime: call("sandbox", "grpc.AgentService/SetGuestDateTime"),
  copyFile: call("sandbox", "grpc.AgentService/CopyFile"),
  getOOMEvent: waiting("statistics", "grpc.AgentService/GetOOMEvent"),
  check: call("health", "grpc.Health/Check", CHECK_DEADLINE),
  version: call("health", "grpc.Health/Version", CHECK_DEADLINE),
};

export const extensionCalls: { readonly [N in keyof ExtensionRpcs]: Call } = {
  createFromConfig: call("specification", "katats.v1.ContainerService/CreateFromConfig"),
  execFromConfig: call("extension", "katats.v1.ContainerService/ExecFromConfig"),
  updateFromConfig: call("extension", "katats.v1.ContainerService/UpdateFromConfig"),
  openStream: call("extension", "katats.v1.ContainerService/OpenStream"),
  renameContainer: call("extension", "katats.v1.ContainerService/RenameContainer"),
  followClock: call("extension", "katats.v1.ClockService/FollowClock"),
  operateOnFiles: call("extension", "katats.v1.FileService/OperateOnFiles"),
  serveDns: call("extension", "katats.v1.NetworkService/ServeDns"),
  resetConnections: call("extension", "katats.v1.NetworkService/ResetConnections"),
};

export const calls: Readonly<Record<RpcName, Call>> = { ...agentCalls, ...extensionCalls };
