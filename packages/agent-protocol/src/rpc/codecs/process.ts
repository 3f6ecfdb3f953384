import { google, grpc } from "#gen/process";
import type { CodecTable } from "../contract.ts";

export const codecs: CodecTable<
  | "startContainer"
  | "removeContainer"
  | "signalProcess"
  | "waitProcess"
  | "listProcesses"
  | "pauseContainer"
  | "resumeContainer"
  | "writeStdin"
  | "readStdout"
  | "readStderr"
  | "closeStdin"
  | "ttyWinResize"
> = {
  startContainer: { request: grpc.StartContainerRequest, response: google.protobuf.Empty },
  removeContainer: { request: grpc.RemoveContainerRequest, response: google.protobuf.Empty },
  signalProcess: { request: grpc.SignalProcessRequest, response: google.protobuf.Empty },
  waitProcess: { request: grpc.WaitProcessRequest, response: grpc.WaitProcessResponse },
  listProcesses: { request: grpc.ListProcessesRequest, response: grpc.ListProcessesResponse },
  pauseContainer: { request: grpc.PauseContainerRequest, response: google.protobuf.Empty },
  resumeContainer: { request: grpc.ResumeContainerRequest, response: google.protobuf.Empty },
  writeStdin: { request: grpc.WriteStreamRequest, response: grpc.WriteStreamResponse },
  readStdout: { request: grpc.ReadStreamRequest, response: grpc.ReadStreamResponse },
  readStderr: { request: grpc.ReadStreamRequest, response: grpc.ReadStreamResponse },
  closeStdin: { request: grpc.CloseStdinRequest, response: google.protobuf.Empty },
  ttyWinResize: { request: grpc.TtyWinResizeRequest, response: google.protobuf.Empty },
};
