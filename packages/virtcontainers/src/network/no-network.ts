import { KataError } from "../errors.ts";
import type { Network } from "../ports/network.ts";
import { openSandboxNamespace } from "./sandbox-namespace.ts";

function refuse(): Promise<never> {
  const message = "this sandbox takes no interfaces: its interworking model is none";
  return Promise.reject(new KataError("KATA_NETWORK_INTERFACE", message, { hint: "set internetworking_model" }));
}

/** Interworking model `none`: the guest has its loopback, whatever is in the namespace. */
export const noNetwork: Network = {
  open: openSandboxNamespace,
  connect: async () => ({ attach: () => Promise.resolve(), [Symbol.dispose]: () => undefined }),
  withdraw: async () => ({ giveBack: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() }),
  sync: () => Promise.resolve(),
  add: refuse,
  remove: refuse,
};

/** As `noNetwork`, without namespaces: everything runs in the caller's. Kata's `disable_new_netns`. */
export const hostNamespaceNetwork: Network = { ...noNetwork, open: () => undefined };
