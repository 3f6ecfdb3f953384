import { collect } from "kata:native";

/** Only `gc`: see releaseMemory() of `packages/linux`. */
export function runInNewContext(code: string): () => void {
  if (code !== "gc") throw new Error("only the collection of garbage can be had of node:vm here");
  return collect;
}
