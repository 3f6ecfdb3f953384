import type { ConnectAgent } from "../ports/agent.ts";
import type { Vmm } from "../ports/vmm.ts";
import { UndoStack } from "../undo.ts";
import { requireCapability } from "../vm/require-capability.ts";
import { createVmDirectory, removeVmDirectory } from "../vm/vm-directory.ts";
import type { SavedGuest } from "./saved-guest.ts";
import { TemplateGuest } from "./template-guest.ts";
import type { Templates } from "./templates.ts";
import { warmUp } from "./warm-up.ts";

/** What ran a few times has been compiled. */
const ROUNDS = 3;

export interface TemplateRequest {
  readonly vmm: Vmm;
  readonly templates: Templates;
  readonly connectAgent: ConnectAgent;
  /** Milliseconds for the guest to boot, and for another call that makes the same template to make it. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Boots a guest, has it do once what containers will ask of it, and saves it, unless there is such a template already.
 *
 * @throws KataError KATA_UNSUPPORTED, KATA_CONFIG, KATA_BOOT, KATA_AGENT; LinuxError ETIMEDOUT; nothing is left then
 */
export async function buildTemplate(request: TemplateRequest): Promise<SavedGuest> {
  const { vmm, templates, deadlineMs } = request;
  requireCapability(vmm, "saveRestore", "there can be no template");
  vmm.requireFiles();
  const accelerator = await vmm.accelerator();
  return templates.obtain(vmm.identify(accelerator), deadlineMs, (template) =>
    makeTemplate(template, accelerator, request),
  );
}

/** What VMs of this configuration are cloned from, where there is such a template. @throws KataError KATA_CONFIG */
export async function findTemplate(vmm: Vmm, templates: Templates): Promise<SavedGuest | undefined> {
  vmm.requireFiles();
  return templates.find(vmm.identify(await vmm.accelerator()));
}

async function makeTemplate(
  template: SavedGuest,
  accelerator: string,
  { vmm, connectAgent, deadlineMs, signal }: TemplateRequest,
): Promise<void> {
  // Whatever happens, nothing stays but the files of the template.
  await using undo = new UndoStack();
  const directory = await createVmDirectory(vmm.settings.vmRoot, {});
  undo.push(() => removeVmDirectory(directory.path));
  await using guest = await TemplateGuest.start(vmm, directory, accelerator);
  const agent = connectAgent(guest.agentUrl);
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    aborted.reject(signal?.reason as Error);
  };
  signal?.throwIfAborted();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const work = async (): Promise<void> => {
      await agent.check({}, { waitForReady: true, deadlineMs });
      await warmUp(agent, guest.agentUrl, { rounds: ROUNDS });
      agent.close();
      await guest.save(template);
    };
    await Promise.race([work(), guest.lost, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    agent.close();
  }
}
