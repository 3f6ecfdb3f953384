/**
 * ttrpc for any service: bytes in, bytes out. What the messages are is the caller's and the handler's affair.
 *
 * @example
 * ```ts
 * import { createServer } from "node:net";
 * import { RpcError, RpcStatus, serveTtrpc } from "@kata-ts/agent-protocol/ttrpc";
 *
 * createServer((connection) => {
 *   serveTtrpc(connection, (path, request) =>
 *     path === "/example.Echo/Echo"
 *       ? Promise.resolve(request)
 *       : Promise.reject(new RpcError(RpcStatus.Unimplemented, `${path} is not served`)),
 *   );
 * }).listen("/run/example.sock");
 * ```
 *
 * @module
 */
export type { Call } from "./rpc/caller.ts";
export { AgentRpcError as RpcError, RpcStatus } from "./rpc/errors.ts";
export { type Connect, unixSocket } from "./rpc/reach.ts";
export { TtrpcCaller } from "./rpc/ttrpc/ttrpc-caller.ts";
export { type Answer, serveTtrpc } from "./rpc/ttrpc/ttrpc-server.ts";
