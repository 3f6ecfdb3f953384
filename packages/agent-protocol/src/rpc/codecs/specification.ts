import { google, grpc, katats } from "#gen/specification";
import type { CodecTable } from "../contract.ts";

export const codecs: CodecTable<"createContainer" | "execProcess" | "updateContainer" | "createFromConfig"> = {
  createContainer: { request: grpc.CreateContainerRequest, response: google.protobuf.Empty },
  execProcess: { request: grpc.ExecProcessRequest, response: google.protobuf.Empty },
  updateContainer: { request: grpc.UpdateContainerRequest, response: google.protobuf.Empty },
  createFromConfig: { request: katats.v1.CreateFromConfigRequest, response: katats.v1.ProcessTicket },
};
