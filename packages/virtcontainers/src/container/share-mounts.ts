import type { RuntimeSpec, SpecMount } from "@kata-ts/agent-protocol";
import type { Vm } from "../ports/hypervisor.ts";
import type { ContainerConfig } from "./config.ts";

/**
 * Gives the guest the container's root file system and every host file that a bind mount names, and returns the spec
 * with the guest's paths in their place. Read-only is enforced here, on the host: the guest cannot undo it.
 */
export async function shareMounts(config: ContainerConfig, vm: Vm): Promise<RuntimeSpec> {
  const root = await vm.share(config.rootfs, `${config.id}/rootfs`, { readonly: false, recursive: true });
  const mounts: SpecMount[] = [];
  for (const [index, mount] of (config.spec.mounts ?? []).entries()) {
    mounts.push(isHostBind(mount) ? await shareBind(config, vm, mount, index) : mount);
  }
  return { ...config.spec, root: { ...config.spec.root, path: root }, mounts };
}

async function shareBind(config: ContainerConfig, vm: Vm, mount: SpecMount, index: number): Promise<SpecMount> {
  const options = mount.options ?? [];
  const source = await vm.share(mount.source ?? "", `${config.id}/mounts/${String(index)}`, {
    readonly: options.includes("ro"),
    readonlyTree: options.includes("rro"),
    recursive: options.includes("rbind"),
  });
  return { ...mount, source, type: "bind" };
}

/** The guest's own /proc, /sys and /dev are meant by these, as under Kata 1.x. */
const GUEST_OWN = /^\/(proc|sys|dev)(\/|$)/;

function isHostBind({ type, source, options = [] }: SpecMount): boolean {
  const bind = type === "bind" || options.includes("bind") || options.includes("rbind");
  return bind && source !== undefined && !GUEST_OWN.test(source);
}
