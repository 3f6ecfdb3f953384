import { calls } from "./calls.ts";
import type { CodecTable, RpcName } from "./contract.ts";
import type { CodecGroup } from "./rpc.ts";

type Codecs = CodecTable<RpcName>[RpcName];

type Load = () => Promise<{ readonly codecs: Partial<CodecTable<RpcName>> }>;

const GROUPS: Readonly<Record<CodecGroup, Load>> = {
  extension: () => import("./codecs/extension.ts"),
  health: () => import("./codecs/health.ts"),
  network: () => import("./codecs/network.ts"),
  process: () => import("./codecs/process.ts"),
  sandbox: () => import("./codecs/sandbox.ts"),
  specification: () => import("./codecs/specification.ts"),
  statistics: () => import("./codecs/statistics.ts"),
};

/** The codecs of an RPC, loaded with those of its group the first time that one of them is called. */
export async function codecsOf(name: RpcName): Promise<Codecs> {
  const { codecs } = await GROUPS[calls[name].group]();
  const found = codecs[name];
  if (found === undefined) throw new Error(`the codecs of ${calls[name].group} have none for ${name}`);
  return found;
}

/** Loads what calls of these RPCs need now, for a caller that is about to lose sight of the files it is loaded from. */
export async function preloadCodecs(names: readonly RpcName[]): Promise<void> {
  await Promise.all(names.map((name) => codecsOf(name)));
}
