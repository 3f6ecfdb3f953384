import { KataError, reasonOf } from "../errors.ts";
import { defaultQemuConfig, type QemuConfig } from "../vmm-qemu/qemu-config.ts";
import type { VmOptions } from "./vm-options.ts";

type GuestFiles = Pick<QemuConfig, "kernelPath" | "imagePath">;

/** What is used of `@kata-ts/guest`. */
export interface GuestPackage {
  readonly openGuest: (options: { readonly signal?: AbortSignal }) => Promise<GuestFiles>;
}

/**
 * The machine that options describe. The kernel or image that they do not name is that of `@kata-ts/guest`.
 *
 * @throws KataError KATA_GUEST where that is not installed, or damaged; the reason of a signal that is aborted
 */
export async function machineOf(
  vm: VmOptions = {},
  signal?: AbortSignal,
  load: () => Promise<GuestPackage> = () => import("@kata-ts/guest"),
): Promise<QemuConfig> {
  return { ...defaultQemuConfig, ...vm, ...(await guestFilesOf(vm, signal, load)) };
}

async function guestFilesOf(
  { kernelPath, imagePath }: VmOptions,
  signal: AbortSignal | undefined,
  load: () => Promise<GuestPackage>,
): Promise<GuestFiles> {
  if (kernelPath !== undefined && imagePath !== undefined) return { kernelPath, imagePath };
  const { openGuest } = await load().catch(refuseWithoutGuest);
  try {
    const installed = await openGuest(signal === undefined ? {} : { signal });
    return { kernelPath: kernelPath ?? installed.kernelPath, imagePath: imagePath ?? installed.imagePath };
  } catch (cause) {
    signal?.throwIfAborted();
    throw new KataError("KATA_GUEST", reasonOf(cause), { cause, ...hintOf(cause) });
  }
}

/** It is an optional peer: programs that bring their own guest do without it. */
function refuseWithoutGuest(cause: unknown): never {
  throw new KataError("KATA_GUEST", `there is no guest to boot: @kata-ts/guest cannot be loaded (${reasonOf(cause)})`, {
    cause,
    hint: "npm install @kata-ts/guest, or pass a kernel and an image of your own: vm.kernelPath and vm.imagePath",
  });
}

function hintOf(error: unknown): { readonly hint?: string } {
  const { hint } = error as { readonly hint?: unknown };
  return typeof hint === "string" ? { hint } : {};
}
