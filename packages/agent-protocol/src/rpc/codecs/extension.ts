import { google, katats } from "#gen/extension";
import type { CodecTable } from "../contract.ts";

export const codecs: CodecTable<"execFromConfig" | "updateFromConfig" | "openStream" | "followClock" | "serveDns"> = {
  execFromConfig: { request: katats.v1.ExecFromConfigRequest, response: katats.v1.ProcessTicket },
  updateFromConfig: { request: katats.v1.UpdateFromConfigRequest, response: google.protobuf.Empty },
  openStream: { request: katats.v1.OpenStreamRequest, response: katats.v1.ProcessTicket },
  followClock: { request: katats.v1.FollowClockRequest, response: google.protobuf.Empty },
  serveDns: { request: katats.v1.ServeDnsRequest, response: google.protobuf.Empty },
};
