import { type ExtensionRpcs, extensionRpcs } from "./extension.ts";
import { type AgentRpcs, agentRpcs } from "./table.ts";

/** All that our client can call and our server can serve: the contract, and what we add to it. */
export interface Rpcs extends AgentRpcs, ExtensionRpcs {}

export const rpcs: Rpcs = { ...agentRpcs, ...extensionRpcs };

export type RpcName = keyof Rpcs;
export type RequestInput<N extends RpcName> = Parameters<Rpcs[N]["request"]["encode"]>[0];
export type Request<N extends RpcName> = ReturnType<Rpcs[N]["request"]["decode"]>;
export type ResponseInput<N extends RpcName> = Parameters<Rpcs[N]["response"]["encode"]>[0];
export type Response<N extends RpcName> = ReturnType<Rpcs[N]["response"]["decode"]>;
