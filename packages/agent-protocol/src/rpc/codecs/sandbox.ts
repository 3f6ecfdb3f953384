import { google, grpc } from "#gen/sandbox";
import type { CodecTable } from "../contract.ts";

export const codecs: CodecTable<
  | "startTracing"
  | "stopTracing"
  | "createSandbox"
  | "destroySandbox"
  | "onlineCPUMem"
  | "reseedRandomDev"
  | "getGuestDetails"
  | "memHotplugByProbe"
  | "setGuestDateTime"
  | "copyFile"
> = {
  startTracing: { request: grpc.StartTracingRequest, response: google.protobuf.Empty },
  stopTracing: { request: grpc.StopTracingRequest, response: google.protobuf.Empty },
  createSandbox: { request: grpc.CreateSandboxRequest, response: google.protobuf.Empty },
  destroySandbox: { request: grpc.DestroySandboxRequest, response: google.protobuf.Empty },
  onlineCPUMem: { request: grpc.OnlineCPUMemRequest, response: google.protobuf.Empty },
  reseedRandomDev: { request: grpc.ReseedRandomDevRequest, response: google.protobuf.Empty },
  getGuestDetails: { request: grpc.GuestDetailsRequest, response: grpc.GuestDetailsResponse },
  memHotplugByProbe: { request: grpc.MemHotplugByProbeRequest, response: google.protobuf.Empty },
  setGuestDateTime: { request: grpc.SetGuestDateTimeRequest, response: google.protobuf.Empty },
  copyFile: { request: grpc.CopyFileRequest, response: google.protobuf.Empty },
};
