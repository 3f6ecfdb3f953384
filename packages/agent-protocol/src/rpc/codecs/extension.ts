import { google, katats } from "#gen/extension";
import type { CodecTable } from "../contract.ts";

export const codecs: CodecTable<
  | "execFromConfig"
  | "updateFromConfig"
  | "openStream"
  | "renameContainer"
  | "followClock"
  | "operateOnFiles"
  | "serveDns"
  | "resetConnections"
> = {
  execFromConfig: { request: katats.v1.ExecFromConfigRequest, response: katats.v1.ProcessTicket },
  updateFromConfig: { request: katats.v1.UpdateFromConfigRequest, response: google.protobuf.Empty },
  openStream: { request: katats.v1.OpenStreamRequest, response: katats.v1.ProcessTicket },
  renameContainer: { request: katats.v1.RenameContainerRequest, response: google.protobuf.Empty },
  followClock: { request: katats.v1.FollowClockRequest, response: google.protobuf.Empty },
  operateOnFiles: { request: katats.v1.FileRequest, response: katats.v1.FileReply },
  serveDns: { request: katats.v1.ServeDnsRequest, response: google.protobuf.Empty },
  resetConnections: { request: katats.v1.ResetConnectionsRequest, response: google.protobuf.Empty },
};
