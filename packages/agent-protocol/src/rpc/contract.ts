/** The types of all RPCs: of the Kata 1.x contract, and of what kata-ts adds to it. */
import type { google, grpc, katats, types } from "#gen/agent";
import type { Rpc } from "./rpc.ts";

/** The Kata 1.x contract. */
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

/**
 * What kata-ts adds to the contract, in services of its own. An agent of Kata 1.x answers UNIMPLEMENTED to all of it, and
 * callers then use the contract's own RPCs.
 */
export interface ExtensionRpcs {
  readonly createFromConfig: Rpc<
    katats.v1.CreateFromConfigRequest.$Properties,
    katats.v1.CreateFromConfigRequest,
    katats.v1.ProcessTicket.$Properties,
    katats.v1.ProcessTicket
  >;
  readonly execFromConfig: Rpc<
    katats.v1.ExecFromConfigRequest.$Properties,
    katats.v1.ExecFromConfigRequest,
    katats.v1.ProcessTicket.$Properties,
    katats.v1.ProcessTicket
  >;
  readonly updateFromConfig: Rpc<
    katats.v1.UpdateFromConfigRequest.$Properties,
    katats.v1.UpdateFromConfigRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly openStream: Rpc<
    katats.v1.OpenStreamRequest.$Properties,
    katats.v1.OpenStreamRequest,
    katats.v1.ProcessTicket.$Properties,
    katats.v1.ProcessTicket
  >;
  readonly renameContainer: Rpc<
    katats.v1.RenameContainerRequest.$Properties,
    katats.v1.RenameContainerRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly followClock: Rpc<
    katats.v1.FollowClockRequest.$Properties,
    katats.v1.FollowClockRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly operateOnFiles: Rpc<
    katats.v1.FileRequest.$Properties,
    katats.v1.FileRequest,
    katats.v1.FileReply.$Properties,
    katats.v1.FileReply
  >;
  readonly serveDns: Rpc<
    katats.v1.ServeDnsRequest.$Properties,
    katats.v1.ServeDnsRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly resetConnections: Rpc<
    katats.v1.ResetConnectionsRequest.$Properties,
    katats.v1.ResetConnectionsRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
}

/** All that our client can call and our server can serve. */
export interface Rpcs extends AgentRpcs, ExtensionRpcs {}

export type RpcName = keyof Rpcs;
export type RequestInput<N extends RpcName> = Parameters<Rpcs[N]["request"]["encode"]>[0];
export type Request<N extends RpcName> = ReturnType<Rpcs[N]["request"]["decode"]>;
export type ResponseInput<N extends RpcName> = Parameters<Rpcs[N]["response"]["encode"]>[0];
export type Response<N extends RpcName> = ReturnType<Rpcs[N]["response"]["decode"]>;

/** The codecs of some RPCs. */
export type CodecTable<N extends RpcName> = { readonly [M in N]: Pick<Rpcs[M], "request" | "response"> };
