import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { anyObject, object, parseShape, type Shape, text } from "@kata-ts/linux/shape";
import type { MachineFiles, QemuConfig } from "@kata-ts/virtcontainers";
import type { ContainerRecord } from "@kata-ts/virtcontainers/records";

/** Kata 1.x's view of the files that a VM is made of. */
interface HypervisorDetails {
  readonly hypervisorAsset: Asset;
  readonly imageAsset: Asset;
  readonly kernelAsset: Asset;
}

interface Asset {
  readonly path: string;
}

export interface AssetsView {
  readonly currentHypervisor: HypervisorDetails;
  readonly latestHypervisor: HypervisorDetails;
  readonly StaleAssets: readonly string[] | null;
}

type Paths = Pick<QemuConfig, "qemuPath" | "imagePath" | "kernelPath">;

interface Described {
  readonly machine: { readonly files: MachineFiles };
}

const described = object<Described>({
  machine: object<Described["machine"]>({
    files: object<MachineFiles>({ monitor: text, kernel: text, image: text }),
  }),
});

/** Earlier releases have described a machine by QEMU's configuration. VMs outlive an update of the runtime. */
const describedEarlier = object<{ readonly vm: Paths }>({
  vm: object<Paths>({ qemuPath: text, imagePath: text, kernelPath: text }),
});

const madeOfShape: Shape<Paths> = (value, place) => {
  if (Object.hasOwn(anyObject(value, place), "vm")) return describedEarlier(value, place).vm;
  const { monitor, kernel, image } = described(value, place).machine.files;
  return { qemuPath: monitor, kernelPath: kernel, imagePath: image };
};

/** What a container's VM was made of, beside what a new one would be made of. */
export function assetsView({ vm }: ContainerRecord, latest: Paths): AssetsView {
  const current = vm === undefined ? undefined : madeOf(vm.dir);
  const stale = [current?.kernelPath, current?.imagePath].filter((path) => path !== undefined && isStale(path, latest));
  return {
    currentHypervisor: detailsOf(current ?? { qemuPath: "", imagePath: "", kernelPath: "" }),
    latestHypervisor: detailsOf(latest),
    StaleAssets: stale.length === 0 ? null : (stale as string[]),
  };
}

/** Of another name than the configured one, or gone. */
function isStale(path: string, { kernelPath, imagePath }: Paths): boolean {
  return (path !== kernelPath && path !== imagePath) || !existsSync(path);
}

function detailsOf({ qemuPath, imagePath, kernelPath }: Paths): HypervisorDetails {
  return { hypervisorAsset: { path: qemuPath }, imageAsset: { path: imagePath }, kernelAsset: { path: kernelPath } };
}

/** The files in the VM's description; undefined where the VM is gone, or the description cannot be read. */
function madeOf(directory: string): Paths | undefined {
  try {
    return parseShape(madeOfShape, readFileSync(join(directory, "spec.json"), "utf8"), "spec.json");
  } catch {
    return undefined;
  }
}
