/**
 * The contract between the host and a Kata 1.x agent, and the channel it runs over.
 *
 * @example
 * ```ts
 * import { connectAgent } from "@kata-ts/agent-protocol";
 *
 * using agent = connectAgent("unix:///run/vc/sbs/ID/proxy.sock");
 * await agent.check({});
 * await agent.startContainer({ container_id: "web" });
 * ```
 *
 * @module
 */
export { google, grpc, katats, types } from "#gen/agent";
export type { FileFailure, FileOperation, FileReport } from "./file-operations.ts";
export { IPFamily } from "./ip-family.ts";
export {
  processFromMessage,
  processToMessage,
  resourcesFromMessage,
  resourcesToMessage,
  specFromMessage,
  specToMessage,
} from "./oci/convert.ts";
export { parseJson, stringifyJson } from "./oci/json.ts";
export { lostInProcess, lostInSpec } from "./oci/lost-fields.ts";
export type * from "./oci/runtime-spec.ts";
export { type AgentClient, type CallOptions, connectAgent } from "./rpc/client.ts";
export type {
  AgentRpcs,
  ExtensionRpcs,
  Request,
  RequestInput,
  Response,
  ResponseInput,
  RpcName,
  Rpcs,
} from "./rpc/contract.ts";
export { AgentRpcError, endOfStream, isEndOfStream, RpcStatus } from "./rpc/errors.ts";
export { withFallback } from "./rpc/fallback.ts";
export { preloadCodecs } from "./rpc/load-codecs.ts";
export type { Codec, Rpc } from "./rpc/rpc.ts";
export { type AgentHandlers, type AgentServer, type CallContext, createAgentServer } from "./rpc/server.ts";
export { agentRpcs, extensionRpcs, rpcs } from "./rpc/table.ts";
export { YamuxProtocolError } from "./yamux/frame.ts";
export { type YamuxOptions, YamuxSession, YamuxSessionClosed } from "./yamux/session.ts";
export { YamuxStream } from "./yamux/stream.ts";
