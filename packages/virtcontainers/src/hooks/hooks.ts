import { spawn } from "node:child_process";
import type { RuntimeSpec, SpecHook } from "@kata-ts/agent-protocol";
import { inNamespace } from "@kata-ts/linux";
import { KataError, reasonOf } from "../errors.ts";
import type { ContainerRecord, LaterHooks } from "../ports/store.ts";
import { type HookState, type RunHookOptions, runHook } from "./run-hook.ts";

export function laterHooks({ hooks }: RuntimeSpec): LaterHooks | undefined {
  const poststart = hooks?.poststart ?? [];
  const poststop = hooks?.poststop ?? [];
  return poststart.length + poststop.length === 0 ? undefined : { poststart, poststop };
}

/** Whether any of them runs in `create`. */
export function hasCreateHooks({ hooks }: RuntimeSpec): boolean {
  const all = [hooks?.prestart, hooks?.createRuntime, hooks?.createContainer];
  return all.some((some) => some !== undefined && some.length > 0);
}

/**
 * The hooks of `create`, in the specification's order: prestart and createRuntime in the caller's namespaces,
 * createContainer in the network namespace of the container (its mount namespace is the guest's, where programs of the
 * host are not). startContainer is run by the guest.
 *
 * @throws KataError KATA_HOOK for the first that fails: there is no container then
 */
export async function runCreateHooks(
  { hooks }: RuntimeSpec,
  record: ContainerRecord,
  signal?: AbortSignal,
): Promise<void> {
  const pid = record.shim?.pid ?? 0;
  const state: HookState = { ...stateOf(record), status: "creating", pid };
  const inNetwork = ((...args: Parameters<typeof spawn>) =>
    inNamespace("net", `/proc/${String(pid)}/ns/net`, () => spawn(...args))) as typeof spawn;
  const how = signal === undefined ? {} : { signal };
  await runAll("prestart", hooks?.prestart, state, how);
  await runAll("createRuntime", hooks?.createRuntime, state, how);
  await runAll("createContainer", hooks?.createContainer, state, { ...how, start: inNetwork });
}

/** A failure is warned about, and the container goes on, as the specification has it. */
export async function runPoststartHooks(record: ContainerRecord, warn: (message: string) => void): Promise<void> {
  const state: HookState = { ...stateOf(record), status: "running", pid: record.shim?.pid ?? 0 };
  await runEach("poststart", record.hooks?.poststart, state, warn);
}

/** A failure is warned about, and the others run all the same. */
export async function runPoststopHooks(record: ContainerRecord, warn: (message: string) => void): Promise<void> {
  await runEach("poststop", record.hooks?.poststop, { ...stateOf(record), status: "stopped" }, warn);
}

function stateOf({ ociVersion, id, bundle, annotations }: ContainerRecord): Omit<HookState, "status"> {
  return { ociVersion, id, bundle, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
}

async function runAll(
  kind: string,
  hooks: readonly SpecHook[] | undefined,
  state: HookState,
  how?: RunHookOptions,
): Promise<void> {
  for (const [index, hook] of (hooks ?? []).entries()) {
    try {
      await runHook(hook, state, how);
    } catch (error) {
      throw new KataError(
        "KATA_HOOK",
        `error running hook #${String(index)} of ${kind} (${hook.path}): ${reasonOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }
}

async function runEach(
  kind: string,
  hooks: readonly SpecHook[] | undefined,
  state: HookState,
  warn: (message: string) => void,
): Promise<void> {
  for (const [index, hook] of (hooks ?? []).entries()) {
    await runHook(hook, state).catch((error: unknown) => {
      warn(`error running hook #${String(index)} of ${kind} (${hook.path}): ${reasonOf(error)}`);
    });
  }
}
