import { grpc } from "#gen/health";
import type { CodecTable } from "../contract.ts";

export const codecs: CodecTable<"check" | "version"> = {
  check: { request: grpc.CheckRequest, response: grpc.HealthCheckResponse },
  version: { request: grpc.CheckRequest, response: grpc.VersionCheckResponse },
};
