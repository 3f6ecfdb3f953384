import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeSpec, SpecHook } from "@kata-ts/agent-protocol";
import { isProgram } from "@kata-ts/linux";
import { failedPrecondition } from "../errors.ts";

const KINDS = ["prestart", "poststart", "poststop"] as const;

/** Programs of the guest's image, run in the guest for every container, by the hook that they are. */
export type GuestHooks = Readonly<Partial<Record<(typeof KINDS)[number], readonly SpecHook[]>>>;

/**
 * The executable files in `prestart`, `poststart` and `poststop` below a directory, in the order of their names: Kata's
 * drop-in hooks. A program gets the kind of hook as its only argument.
 *
 * @throws AgentRpcError FAILED_PRECONDITION where the directory is missing
 */
export function findGuestHooks(path: string): GuestHooks {
  if (path === "") return {};
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw failedPrecondition(`the guest has no directory ${path} for hooks`);
  const found = KINDS.map((kind) => [kind, programs(join(path, kind)).map((file) => hookOf(file, kind))] as const);
  return Object.fromEntries(found.filter(([, hooks]) => hooks.length > 0));
}

/** The OCI runtime runs them, with the state that it keeps of the container as their input. */
export function withGuestHooks(spec: RuntimeSpec, hooks: GuestHooks): RuntimeSpec {
  return Object.keys(hooks).length === 0 ? spec : { ...spec, hooks };
}

function hookOf(path: string, kind: string): SpecHook {
  return { path, args: [path, kind] };
}

function programs(directory: string): string[] {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const paths = readdirSync(directory).sort();
  return paths.map((name) => join(directory, name)).filter(isProgram);
}
