/**
 * gRPC for any service of unary calls: bytes in, bytes out, over an HTTP/2 of our own. What the messages are is the caller's and the
 * handler's affair.
 *
 * @example
 * ```ts
 * import { createServer } from "node:net";
 * import { RpcError, RpcStatus, UnaryServer } from "@kata-ts/agent-protocol/grpc";
 *
 * const server = new UnaryServer((path, request) =>
 *   path === "/example.Echo/Echo"
 *     ? Promise.resolve(request)
 *     : Promise.reject(new RpcError(RpcStatus.Unimplemented, `${path} is not served`)),
 * );
 * createServer((connection) => {
 *   server.serve(connection);
 * }).listen("/run/example.sock");
 * ```
 *
 * @module
 */
export type { Call } from "./rpc/caller.ts";
export { AgentRpcError as RpcError, RpcStatus } from "./rpc/errors.ts";
export { UnaryCaller } from "./rpc/grpc/unary-caller.ts";
export { UnaryServer } from "./rpc/grpc/unary-server.ts";
export { type Connect, unixSocket } from "./rpc/reach.ts";
export type { Answer } from "./rpc/ttrpc/ttrpc-server.ts";
