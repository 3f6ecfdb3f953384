import { acceleratorFor, confinementOf, type QemuConfig } from "../hypervisor/qemu-config.ts";
import { requireFiles } from "../hypervisor/required-files.ts";
import { createVmDirectory, removeVmDirectory, vmDirectory } from "../hypervisor/vm-directory.ts";
import { vmConfig } from "../hypervisor/vm-spec.ts";
import type { ConnectAgent } from "../ports/agent.ts";
import { UndoStack } from "../undo.ts";
import { TemplateMachine } from "./template-machine.ts";
import type { SavedGuest, Templates } from "./templates.ts";
import { warmUp } from "./warm-up.ts";

/** What ran a few times has been compiled. */
const ROUNDS = 3;

export interface TemplateRequest {
  readonly config: QemuConfig;
  readonly templates: Templates;
  readonly connectAgent: ConnectAgent;
  /** Milliseconds that the guest may take to boot, and somebody else who makes the same template to make it. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Boots a guest, has it do once what containers will ask of it, and saves it, unless there is such a template already.
 *
 * @throws KataError KATA_CONFIG, KATA_BOOT, KATA_AGENT; LinuxError ETIMEDOUT; nothing is left then
 */
export async function buildTemplate(request: TemplateRequest): Promise<SavedGuest> {
  const { config, templates, deadlineMs } = request;
  requireFiles(config);
  const accelerator = await acceleratorFor(config);
  return templates.obtain(machineOf(config, accelerator), deadlineMs, (template) =>
    makeTemplate(template, accelerator, request),
  );
}

/** What VMs of this configuration are cloned from, where there is such a template. @throws KataError KATA_CONFIG */
export async function findTemplate(config: QemuConfig, templates: Templates): Promise<SavedGuest | undefined> {
  requireFiles(config);
  return templates.find(machineOf(config, await acceleratorFor(config)));
}

/** The machine that a configuration's templates are of. */
export function machineOf(config: QemuConfig, accelerator: "kvm" | "tcg"): ReturnType<typeof vmConfig> {
  return vmConfig(config, accelerator, vmDirectory("/"), "");
}

async function makeTemplate(
  template: SavedGuest,
  accelerator: "kvm" | "tcg",
  { config, connectAgent, deadlineMs, signal }: TemplateRequest,
): Promise<void> {
  // Whatever happens, nothing stays but the files of the template.
  await using undo = new UndoStack();
  const directory = await createVmDirectory(config.vmRoot, {});
  undo.push(() => removeVmDirectory(directory.path));
  const vm = vmConfig(config, accelerator, directory, "template");
  await using machine = await TemplateMachine.start(vm, directory, confinementOf(config));
  const agent = connectAgent(machine.agentUrl);
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    aborted.reject(signal?.reason as Error);
  };
  signal?.throwIfAborted();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const work = async (): Promise<void> => {
      await agent.check({}, { waitForReady: true, deadlineMs });
      await warmUp(agent, machine.agentUrl, { rounds: ROUNDS });
      agent.close();
      await machine.save(template);
    };
    await Promise.race([work(), machine.lost, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    agent.close();
  }
}
