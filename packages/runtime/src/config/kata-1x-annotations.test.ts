import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultQemuConfig } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { withAnnotations } from "./annotations.ts";
import { checkAssetHashes } from "./asset-hashes.ts";
import { readOptions } from "./files.ts";

const STOCK = fileURLToPath(new URL("fixtures/kata-1x-qemu.toml", import.meta.url));
const PREFIX = "io.katacontainers.config.";

/** All that Kata 1.12 reads from a sandbox's annotations, with a value that works there. */
const TAKEN: Readonly<Record<string, string>> = {
  "hypervisor.path": "/usr/bin/qemu-system-x86_64",
  "hypervisor.kernel_params": "a=b",
  "hypervisor.machine_type": "q35",
  "hypervisor.machine_accelerators": "nosmm",
  "hypervisor.cpu_features": "pmu=off",
  "hypervisor.disable_vhost_net": "true",
  "hypervisor.enable_vhost_user_store": "false",
  "hypervisor.vhost_user_store_path": "/var/run/kata-containers/vhost-user",
  "hypervisor.guest_hook_path": "/usr/share/oci/hooks",
  "hypervisor.use_vsock": "false",
  "hypervisor.disable_image_nvdimm": "true",
  "hypervisor.hotplug_vfio_on_root_bus": "true",
  "hypervisor.pcie_root_port": "2",
  "hypervisor.default_vcpus": "1",
  "hypervisor.default_max_vcpus": "1",
  "hypervisor.default_memory": "512",
  "hypervisor.memory_slots": "10",
  "hypervisor.memory_offset": "1",
  "hypervisor.enable_virtio_mem": "false",
  "hypervisor.enable_mem_prealloc": "true",
  "hypervisor.enable_swap": "true",
  "hypervisor.enable_hugepages": "true",
  "hypervisor.enable_iommu": "true",
  "hypervisor.enable_iommu_platform": "false",
  "hypervisor.shared_fs": "virtio-fs",
  "hypervisor.virtio_fs_daemon": "/usr/bin/virtiofsd",
  "hypervisor.virtio_fs_cache": "auto",
  "hypervisor.virtio_fs_cache_size": "0",
  "hypervisor.msize_9p": "8192",
  "hypervisor.block_device_driver": "virtio-scsi",
  "hypervisor.disable_block_device_use": "true",
  "hypervisor.enable_iothreads": "true",
  "hypervisor.block_device_cache_set": "true",
  "hypervisor.block_device_cache_direct": "true",
  "hypervisor.block_device_cache_noflush": "true",
  "runtime.disable_guest_seccomp": "false",
  "runtime.sandbox_cgroup_only": "true",
  "runtime.experimental": "",
  "runtime.internetworking_model": "macvtap",
  "runtime.disable_new_netns": "false",
  "agent.kernel_modules": "loop;i915",
  "agent.enable_tracing": "false",
  "agent.trace_mode": "dynamic",
  "agent.trace_type": "isolated",
  "agent.container_pipe_size": "65536",
};

/** Files of the host that its installed configuration lets any sandbox name; here they have to be listed. */
const NEED_A_LIST = ["kernel", "image", "initrd", "firmware", "file_mem_backend"];

describe("the annotations of Kata 1.12, under its installed configuration", () => {
  it.each(Object.entries(TAKEN))("take %s = %s", async (name, value) => {
    const { options } = await readOptions(STOCK);
    expect(() => withAnnotations(options, { [`${PREFIX}${name}`]: value })).not.toThrow();
  });

  it.each(NEED_A_LIST)("say where %s is to be allowed", async (name) => {
    const { options } = await readOptions(STOCK);
    const annotations = { [`${PREFIX}hypervisor.${name}`]: "/x" };
    expect(() => withAnnotations(options, annotations)).toThrow(
      expect.objectContaining({ code: "KATA_ANNOTATION", hint: expect.stringMatching(/^valid_\w+ in/) as string }),
    );
  });

  it.each(["io.katacontainers.pkg.oci.bundle_path", "io.katacontainers.pkg.oci.container_type"])(
    "leave %s alone, which the runtime itself writes",
    (name) => {
      expect(withAnnotations({}, { [name]: "x" })).toEqual({});
    },
  );
});

describe("hashes of a VM's files", () => {
  const directory = mkdtempSync(join(tmpdir(), "assets-"));
  const path = join(directory, "kernel");
  const config = { ...defaultQemuConfig, kernelPath: path, imagePath: join(directory, "missing") };
  const right = createHash("sha512").update("a kernel").digest("hex");
  const hashes = (values: Readonly<Record<string, string>>): Promise<void> => {
    writeFileSync(path, "a kernel");
    const full = Object.entries(values).map(([name, value]) => [`${PREFIX}hypervisor.${name}`, value]);
    return checkAssetHashes(config, Object.fromEntries(full) as Record<string, string>);
  };

  it("let a VM be made of these very files, and of no others", async () => {
    await expect(hashes({ kernel_hash: right })).resolves.toBeUndefined();
    await expect(hashes({ kernel_hash: right.toUpperCase() })).resolves.toBeUndefined();
    await expect(hashes({ kernel_hash: right.replace(/^./, "x") })).rejects.toThrow("has another sha512 hash");
    await expect(hashes({ image_hash: right })).rejects.toThrow("no such file");
    await expect(hashes({ initrd_hash: right })).rejects.toThrow("the VM has no such file");
    await expect(hashes({ jailer_hash: right })).rejects.toThrow("the VM has no such file");
    rmSync(directory, { recursive: true });
  });

  it("are of one kind", async () => {
    const type = (value: string): Promise<void> =>
      checkAssetHashes(config, { "io.katacontainers.asset_hash_type": value });
    await expect(type("sha512")).resolves.toBeUndefined();
    await expect(type("md5")).rejects.toThrow("is not supported");
  });
});
