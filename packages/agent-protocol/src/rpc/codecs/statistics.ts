import { grpc } from "#gen/statistics";
import type { CodecTable } from "../contract.ts";

export const codecs: CodecTable<"statsContainer" | "getOOMEvent"> = {
  statsContainer: { request: grpc.StatsContainerRequest, response: grpc.StatsContainerResponse },
  getOOMEvent: { request: grpc.GetOOMEventRequest, response: grpc.OOMEvent },
};
