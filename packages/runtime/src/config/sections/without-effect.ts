import * as z from "zod/mini";
import { neverTrue, withoutEffect } from "../option.ts";

type Shape = Readonly<Record<string, z.ZodMiniType>>;

const OTHER_HYPERVISOR = "another hypervisor's";
const paths = z.array(z.string());
const count = z.int().check(z.minimum(0));

/** Of `[hypervisor.qemu]` in Kata 1.x's files. */
export const hypervisorWithoutEffect: Shape = {
  default_bridges: withoutEffect(count, "devices are plugged into PCI Express ports: `pcie_root_port`"),
  hotplug_vfio_on_root_bus: withoutEffect(z.boolean(), "always so: each device gets a port on the root bus"),
  disable_nesting_checks: withoutEffect(z.boolean(), "devices are modern virtio, also below another hypervisor"),
  enable_swap: withoutEffect(z.boolean(), "guest memory is never locked: the host may swap it"),
  memory_offset: withoutEffect(count, "room for memory that is plugged in is made by itself"),
  virtio_fs_cache_size: withoutEffect(
    count.check(z.refine((size) => size === 0, "a DAX window needs a QEMU that no distribution has; use 0")),
    "0 only: there is no DAX window",
  ),
  enable_iommu_platform: withoutEffect(
    neverTrue("the VM's own devices bypass its IOMMU"),
    "`false` only: the VM's own devices bypass its IOMMU",
  ),
  enable_vhost_user_store: withoutEffect(
    neverTrue("vhost-user devices are not supported"),
    "`false` only: vhost-user devices are not supported",
  ),
  vhost_user_store_path: withoutEffect(z.string(), "of no use without `enable_vhost_user_store`"),
  valid_vhost_user_store_paths: withoutEffect(paths, "of no use without `enable_vhost_user_store`"),
  pflashes: withoutEffect(
    paths.check(z.refine((list) => list.length === 0, "flash images are not supported: see firmware")),
    "empty only: see `firmware`",
  ),
  jailer_path: withoutEffect(z.string(), OTHER_HYPERVISOR),
  valid_jailer_paths: withoutEffect(paths, OTHER_HYPERVISOR),
  ctlpath: withoutEffect(z.string(), OTHER_HYPERVISOR),
  valid_ctlpaths: withoutEffect(paths, OTHER_HYPERVISOR),
};

export const agentWithoutEffect: Shape = {
  trace_mode: withoutEffect(
    z.enum(["dynamic", "static", ""]),
    "requests are traced on the host, from the first to the last: the agent needs no call for it",
  ),
  container_pipe_size: withoutEffect(count, "pipes of containers have the kernel's size"),
};

export const runtimeWithoutEffect: Shape = {
  sandbox_cgroup_only: withoutEffect(
    z.boolean(),
    "always so: the VM and all of its helpers live in the cgroup of the sandbox's first container",
  ),
  experimental: withoutEffect(
    paths.check(z.refine((list) => list.length === 0, "there are no experimental features")),
    "empty only: there are no experimental features",
  ),
  enable_agent_pidns: withoutEffect(
    neverTrue("containers never see the processes of the guest itself; `kata-runtime debug` does"),
    "`false` only: containers never see the processes of the guest itself",
  ),
};

export const netmonWithoutEffect: Shape = {
  path: withoutEffect(z.string(), "kata-proxy follows the network"),
};

export const factoryWithoutEffect: Shape = {
  vm_cache_endpoint: withoutEffect(z.string(), "the cache needs no server"),
};
