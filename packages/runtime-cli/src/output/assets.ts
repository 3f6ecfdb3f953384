import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { QemuConfig } from "@kata-ts/virtcontainers";
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

/** What its watchman was told; undefined where the VM is gone. */
function madeOf(directory: string): Paths | undefined {
  try {
    const { vm } = JSON.parse(readFileSync(join(directory, "spec.json"), "utf8")) as { readonly vm?: Partial<Paths> };
    const { qemuPath, imagePath, kernelPath } = vm ?? {};
    return qemuPath === undefined || imagePath === undefined || kernelPath === undefined
      ? undefined
      : { qemuPath, imagePath, kernelPath };
  } catch {
    return undefined;
  }
}
