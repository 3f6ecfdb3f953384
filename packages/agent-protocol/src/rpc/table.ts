import { agentCalls, calls, extensionCalls } from "./calls.ts";
import { codecs as extensionCodecs } from "./codecs/extension.ts";
import { codecs as healthCodecs } from "./codecs/health.ts";
import { codecs as networkCodecs } from "./codecs/network.ts";
import { codecs as processCodecs } from "./codecs/process.ts";
import { codecs as sandboxCodecs } from "./codecs/sandbox.ts";
import { codecs as specificationCodecs } from "./codecs/specification.ts";
import { codecs as statisticsCodecs } from "./codecs/statistics.ts";
import type { AgentRpcs, CodecTable, ExtensionRpcs, RpcName, Rpcs } from "./contract.ts";
import type { Call } from "./rpc.ts";

const codecs: CodecTable<RpcName> = {
  ...extensionCodecs,
  ...healthCodecs,
  ...networkCodecs,
  ...processCodecs,
  ...sandboxCodecs,
  ...specificationCodecs,
  ...statisticsCodecs,
};

/** All RPCs with their codecs, for servers. A client loads those of the calls that it makes: load-codecs.ts. */
export const rpcs: Rpcs = withCodecs(calls) as unknown as Rpcs;

/** The Kata 1.x contract. */
export const agentRpcs: AgentRpcs = withCodecs(agentCalls) as unknown as AgentRpcs;

/** What kata-ts adds to it. */
export const extensionRpcs: ExtensionRpcs = withCodecs(extensionCalls) as unknown as ExtensionRpcs;

function withCodecs(table: Partial<Record<RpcName, Call>>): Partial<Record<RpcName, object>> {
  const names = Object.keys(table) as RpcName[];
  return Object.fromEntries(names.map((name) => [name, { ...table[name], ...codecs[name] }]));
}
