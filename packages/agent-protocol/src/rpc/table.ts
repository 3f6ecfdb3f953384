/**
 * The Kata 1.x contract as data: one entry per RPC, with its path, its codecs and how long a caller waits by default.
 * Client and server are both made from this table and the one of extension.ts.
 */

import { google, grpc, types } from "#gen/agent";
import { bulk, CHECK_DEADLINE, type Rpc, rpc, waiting } from "./rpc.ts";

export interface AgentRpcs {
  readonly createContainer: Rpc<
    grpc.CreateContainerRequest.$Properties,
    grpc.CreateContainerRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly startContainer: Rpc<
    grpc.StartContainerRequest.$Properties,
    grpc.StartContainerRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly removeContainer: Rpc<
    grpc.RemoveContainerRequest.$Properties,
    grpc.RemoveContainerRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly execProcess: Rpc<
    grpc.ExecProcessRequest.$Properties,
    grpc.ExecProcessRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly signalProcess: Rpc<
    grpc.SignalProcessRequest.$Properties,
    grpc.SignalProcessRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly waitProcess: Rpc<
    grpc.WaitProcessRequest.$Properties,
    grpc.WaitProcessRequest,
    grpc.WaitProcessResponse.$Properties,
    grpc.WaitProcessResponse
  >;
  readonly listProcesses: Rpc<
    grpc.ListProcessesRequest.$Properties,
    grpc.ListProcessesRequest,
    grpc.ListProcessesResponse.$Properties,
    grpc.ListProcessesResponse
  >;
  readonly updateContainer: Rpc<
    grpc.UpdateContainerRequest.$Properties,
    grpc.UpdateContainerRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly statsContainer: Rpc<
    grpc.StatsContainerRequest.$Properties,
    grpc.StatsContainerRequest,
    grpc.StatsContainerResponse.$Properties,
    grpc.StatsContainerResponse
  >;
  readonly pauseContainer: Rpc<
    grpc.PauseContainerRequest.$Properties,
    grpc.PauseContainerRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly resumeContainer: Rpc<
    grpc.ResumeContainerRequest.$Properties,
    grpc.ResumeContainerRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly writeStdin: Rpc<
    grpc.WriteStreamRequest.$Properties,
    grpc.WriteStreamRequest,
    grpc.WriteStreamResponse.$Properties,
    grpc.WriteStreamResponse
  >;
  readonly readStdout: Rpc<
    grpc.ReadStreamRequest.$Properties,
    grpc.ReadStreamRequest,
    grpc.ReadStreamResponse.$Properties,
    grpc.ReadStreamResponse
  >;
  readonly readStderr: Rpc<
    grpc.ReadStreamRequest.$Properties,
    grpc.ReadStreamRequest,
    grpc.ReadStreamResponse.$Properties,
    grpc.ReadStreamResponse
  >;
  readonly closeStdin: Rpc<
    grpc.CloseStdinRequest.$Properties,
    grpc.CloseStdinRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly ttyWinResize: Rpc<
    grpc.TtyWinResizeRequest.$Properties,
    grpc.TtyWinResizeRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly updateInterface: Rpc<
    grpc.UpdateInterfaceRequest.$Properties,
    grpc.UpdateInterfaceRequest,
    types.Interface.$Properties,
    types.Interface
  >;
  readonly updateRoutes: Rpc<
    grpc.UpdateRoutesRequest.$Properties,
    grpc.UpdateRoutesRequest,
    grpc.Routes.$Properties,
    grpc.Routes
  >;
  readonly listInterfaces: Rpc<
    grpc.ListInterfacesRequest.$Properties,
    grpc.ListInterfacesRequest,
    grpc.Interfaces.$Properties,
    grpc.Interfaces
  >;
  readonly listRoutes: Rpc<
    grpc.ListRoutesRequest.$Properties,
    grpc.ListRoutesRequest,
    grpc.Routes.$Properties,
    grpc.Routes
  >;
  readonly addARPNeighbors: Rpc<
    grpc.AddARPNeighborsRequest.$Properties,
    grpc.AddARPNeighborsRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly startTracing: Rpc<
    grpc.StartTracingRequest.$Properties,
    grpc.StartTracingRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly stopTracing: Rpc<
    grpc.StopTracingRequest.$Properties,
    grpc.StopTracingRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly createSandbox: Rpc<
    grpc.CreateSandboxRequest.$Properties,
    grpc.CreateSandboxRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly destroySandbox: Rpc<
    grpc.DestroySandboxRequest.$Properties,
    grpc.DestroySandboxRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly onlineCPUMem: Rpc<
    grpc.OnlineCPUMemRequest.$Properties,
    grpc.OnlineCPUMemRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly reseedRandomDev: Rpc<
    grpc.ReseedRandomDevRequest.$Properties,
    grpc.ReseedRandomDevRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly getGuestDetails: Rpc<
    grpc.GuestDetailsRequest.$Properties,
    grpc.GuestDetailsRequest,
    grpc.GuestDetailsResponse.$Properties,
    grpc.GuestDetailsResponse
  >;
  readonly memHotplugByProbe: Rpc<
    grpc.MemHotplugByProbeRequest.$Properties,
    grpc.MemHotplugByProbeRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly setGuestDateTime: Rpc<
    grpc.SetGuestDateTimeRequest.$Properties,
    grpc.SetGuestDateTimeRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly copyFile: Rpc<
    grpc.CopyFileRequest.$Properties,
    grpc.CopyFileRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly getOOMEvent: Rpc<
    grpc.GetOOMEventRequest.$Properties,
    grpc.GetOOMEventRequest,
    grpc.OOMEvent.$Properties,
    grpc.OOMEvent
  >;
  readonly check: Rpc<
    grpc.CheckRequest.$Properties,
    grpc.CheckRequest,
    grpc.HealthCheckResponse.$Properties,
    grpc.HealthCheckResponse
  >;
  readonly version: Rpc<
    grpc.CheckRequest.$Properties,
    grpc.CheckRequest,
    grpc.VersionCheckResponse.$Properties,
    grpc.VersionCheckResponse
  >;
}

export const agentRpcs: AgentRpcs = {
  createContainer: rpc("grpc.AgentService/CreateContainer", grpc.CreateContainerRequest, google.protobuf.Empty),
  startContainer: rpc("grpc.AgentService/StartContainer", grpc.StartContainerRequest, google.protobuf.Empty),
  removeContainer: rpc("grpc.AgentService/RemoveContainer", grpc.RemoveContainerRequest, google.protobuf.Empty),
  execProcess: rpc("grpc.AgentService/ExecProcess", grpc.ExecProcessRequest, google.protobuf.Empty),
  signalProcess: rpc("grpc.AgentService/SignalProcess", grpc.SignalProcessRequest, google.protobuf.Empty),
  waitProcess: waiting("grpc.AgentService/WaitProcess", grpc.WaitProcessRequest, grpc.WaitProcessResponse),
  listProcesses: bulk(rpc("grpc.AgentService/ListProcesses", grpc.ListProcessesRequest, grpc.ListProcessesResponse)),
  updateContainer: rpc("grpc.AgentService/UpdateContainer", grpc.UpdateContainerRequest, google.protobuf.Empty),
  statsContainer: rpc("grpc.AgentService/StatsContainer", grpc.StatsContainerRequest, grpc.StatsContainerResponse),
  pauseContainer: rpc("grpc.AgentService/PauseContainer", grpc.PauseContainerRequest, google.protobuf.Empty),
  resumeContainer: rpc("grpc.AgentService/ResumeContainer", grpc.ResumeContainerRequest, google.protobuf.Empty),
  writeStdin: waiting("grpc.AgentService/WriteStdin", grpc.WriteStreamRequest, grpc.WriteStreamResponse),
  readStdout: bulk(waiting("grpc.AgentService/ReadStdout", grpc.ReadStreamRequest, grpc.ReadStreamResponse)),
  readStderr: bulk(waiting("grpc.AgentService/ReadStderr", grpc.ReadStreamRequest, grpc.ReadStreamResponse)),
  closeStdin: rpc("grpc.AgentService/CloseStdin", grpc.CloseStdinRequest, google.protobuf.Empty),
  ttyWinResize: rpc("grpc.AgentService/TtyWinResize", grpc.TtyWinResizeRequest, google.protobuf.Empty),
  updateInterface: rpc("grpc.AgentService/UpdateInterface", grpc.UpdateInterfaceRequest, types.Interface),
  updateRoutes: rpc("grpc.AgentService/UpdateRoutes", grpc.UpdateRoutesRequest, grpc.Routes),
  listInterfaces: rpc("grpc.AgentService/ListInterfaces", grpc.ListInterfacesRequest, grpc.Interfaces),
  listRoutes: rpc("grpc.AgentService/ListRoutes", grpc.ListRoutesRequest, grpc.Routes),
  addARPNeighbors: rpc("grpc.AgentService/AddARPNeighbors", grpc.AddARPNeighborsRequest, google.protobuf.Empty),
  startTracing: rpc("grpc.AgentService/StartTracing", grpc.StartTracingRequest, google.protobuf.Empty),
  stopTracing: rpc("grpc.AgentService/StopTracing", grpc.StopTracingRequest, google.protobuf.Empty),
  createSandbox: rpc("grpc.AgentService/CreateSandbox", grpc.CreateSandboxRequest, google.protobuf.Empty),
  destroySandbox: rpc("grpc.AgentService/DestroySandbox", grpc.DestroySandboxRequest, google.protobuf.Empty),
  onlineCPUMem: rpc("grpc.AgentService/OnlineCPUMem", grpc.OnlineCPUMemRequest, google.protobuf.Empty),
  reseedRandomDev: rpc("grpc.AgentService/ReseedRandomDev", grpc.ReseedRandomDevRequest, google.protobuf.Empty),
  getGuestDetails: rpc("grpc.AgentService/GetGuestDetails", grpc.GuestDetailsRequest, grpc.GuestDetailsResponse),
  memHotplugByProbe: rpc("grpc.AgentService/MemHotplugByProbe", grpc.MemHotplugByProbeRequest, google.protobuf.Empty),
  setGuestDateTime: rpc("grpc.AgentService/SetGuestDateTime", grpc.SetGuestDateTimeRequest, google.protobuf.Empty),
  copyFile: rpc("grpc.AgentService/CopyFile", grpc.CopyFileRequest, google.protobuf.Empty),
  getOOMEvent: waiting("grpc.AgentService/GetOOMEvent", grpc.GetOOMEventRequest, grpc.OOMEvent),
  check: rpc("grpc.Health/Check", grpc.CheckRequest, grpc.HealthCheckResponse, CHECK_DEADLINE),
  version: rpc("grpc.Health/Version", grpc.CheckRequest, grpc.VersionCheckResponse, CHECK_DEADLINE),
};
