import type { Network } from "../ports/network.ts";

/** No interface reaches the guest. */
export const noNetwork: Network = { model: "none", namespace: undefined };
