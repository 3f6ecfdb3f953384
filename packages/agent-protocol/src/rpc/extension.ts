/**
 * What kata-ts adds to the contract, in a service of its own. An agent of Kata 1.x answers UNIMPLEMENTED to all of it, and
 * callers then use the contract's own RPCs.
 */
import { google, katats } from "#gen/agent";
import { type Rpc, rpc } from "./rpc.ts";

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
  readonly followClock: Rpc<
    katats.v1.FollowClockRequest.$Properties,
    katats.v1.FollowClockRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
  readonly serveDns: Rpc<
    katats.v1.ServeDnsRequest.$Properties,
    katats.v1.ServeDnsRequest,
    google.protobuf.Empty.$Properties,
    google.protobuf.Empty
  >;
}

const {
  CreateFromConfigRequest,
  ExecFromConfigRequest,
  FollowClockRequest,
  OpenStreamRequest,
  ProcessTicket,
  ServeDnsRequest,
  UpdateFromConfigRequest,
} = katats.v1;
const SERVICE = "katats.v1.ContainerService";

export const extensionRpcs: ExtensionRpcs = {
  createFromConfig: rpc(`${SERVICE}/CreateFromConfig`, CreateFromConfigRequest, ProcessTicket),
  execFromConfig: rpc(`${SERVICE}/ExecFromConfig`, ExecFromConfigRequest, ProcessTicket),
  updateFromConfig: rpc(`${SERVICE}/UpdateFromConfig`, UpdateFromConfigRequest, google.protobuf.Empty),
  openStream: rpc(`${SERVICE}/OpenStream`, OpenStreamRequest, ProcessTicket),
  followClock: rpc("katats.v1.ClockService/FollowClock", FollowClockRequest, google.protobuf.Empty),
  serveDns: rpc("katats.v1.NetworkService/ServeDns", ServeDnsRequest, google.protobuf.Empty),
};
