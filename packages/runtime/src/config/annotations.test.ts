import { totalmem } from "node:os";
import { describe, expect, it } from "vitest";
import { withAnnotations } from "./annotations.ts";
import type { Options } from "./options.ts";

const PREFIX = "io.katacontainers.config";

function changed(annotations: Readonly<Record<string, string>>, options: Options = {}): Options {
  const full = Object.entries(annotations).map(([name, value]) => [`${PREFIX}.${name}`, value]);
  return withAnnotations(options, Object.fromEntries(full) as Record<string, string>);
}

describe("a sandbox's annotations", () => {
  it("may size its VM and choose its network model, unasked", () => {
    const asked = {
      "hypervisor.default_memory": "512",
      "hypervisor.default_vcpus": "1",
      "runtime.internetworking_model": "macvtap",
    };
    expect(changed(asked, { runtime: { boot_timeout: 9 } })).toEqual({
      hypervisor: { qemu: { default_memory: 512, default_vcpus: 1 } },
      runtime: { boot_timeout: 9, internetworking_model: "macvtap" },
    });
  });

  it("choose no file of the host in the place of the configuration", () => {
    const asked = { "io.katacontainers.config_path": "/tmp/own.toml" };
    expect(() => withAnnotations({}, asked)).toThrow(
      expect.objectContaining({ code: "KATA_ANNOTATION", message: expect.stringContaining("config_path") as string }),
    );
  });

  it("leave alone what is none of ours", () => {
    const options = { netmon: { enable_netmon: false } };
    expect(withAnnotations(options, { "io.kubernetes.cri.container-type": "sandbox", a: "b" })).toEqual(options);
  });

  it.each([
    ["default_memory", "1025", { default_maxmemory: 1024 }],
    ["default_memory", String(Math.ceil(totalmem() / 2 ** 20) + 1), {}],
    ["default_vcpus", "3", { default_maxvcpus: 2 }],
  ])("may not have more of %s than %s", (name, value, qemu) => {
    expect(() => changed({ [`hypervisor.${name}`]: value }, { hypervisor: { qemu } })).toThrow(
      expect.objectContaining({ code: "KATA_ANNOTATION", message: expect.stringContaining("is more than") as string }),
    );
  });

  it("do not raise the bound that they are held to", () => {
    const qemu = { default_maxmemory: 1024, enable_annotations: ["default_maxmemory"] };
    const asked = { "hypervisor.default_maxmemory": "4096", "hypervisor.default_memory": "2048" };
    expect(() => changed(asked, { hypervisor: { qemu } })).toThrow("2048 is more than 1024");
  });

  it.each([
    "hypervisor.path",
    "hypervisor.kernel_params",
    "hypervisor.enable_annotations",
    "hypervisor.nonsense",
    "hypervisor.constructor",
    "hypervisor.default_memory.more",
    "runtime.disable_new_netns",
    "runtime.disable_guest_seccomp",
    "agent.nonsense",
    "__proto__.x",
  ])("may not set %s", (name) => {
    expect(() => changed({ [name]: "1" })).toThrow(`annotation ${PREFIX}.${name} is not enabled`);
  });

  it("may set what a pattern of the administrator finds in a name, but no path and no list of what may be set", () => {
    const enable_annotations = ["virtio_fs_.*", "kernel", "path", ".*able.*", "valid", "entropy"];
    const options = { hypervisor: { qemu: { enable_annotations } } };
    const asked = changed({ "hypervisor.virtio_fs_cache": "none", "hypervisor.kernel_params": "a" }, options);
    expect(asked.hypervisor?.qemu).toMatchObject({ virtio_fs_cache: "none", kernel_params: "a" });
    for (const name of ["enable_annotations", "valid_hypervisor_paths", "virtio_fs_extra_args", "entropy_source"]) {
      expect(() => changed({ [`hypervisor.${name}`]: "/x" }, options), name).toThrow("is not enabled");
    }
    for (const name of ["virtio_fs_daemon", "kernel", "path"]) {
      expect(() => changed({ [`hypervisor.${name}`]: "/x" }, options), name).toThrow('"/x" is not allowed');
    }
  });

  it("may set a path that the administrator has listed by a glob, and none beside it", () => {
    const valid_guest_paths = ["/opt/kernels/*.bin", "/opt/one"];
    const options = { hypervisor: { qemu: { enable_annotations: ["^kernel$"], valid_guest_paths } } };
    for (const path of ["/opt/kernels/a.bin", "/opt/one"]) {
      expect(changed({ "hypervisor.kernel": path }, options).hypervisor?.qemu?.kernel).toBe(path);
    }
    const others = ["/opt/kernels/a/b.bin", "/opt/kernels/../x.bin", "/opt/kernels/axbin", "/opt/one2", "opt/one", ""];
    for (const path of others)
      expect(() => changed({ "hypervisor.kernel": path }, options), path).toThrow("is not allowed");
  });

  it.each(["much", "", "-1", "1.5", "64", "1e3", "0x400", "9".repeat(40)])(
    "are refused with %j for a size",
    (value) => {
      expect(() => changed({ "hypervisor.default_memory": value })).toThrow("is no value for it");
    },
  );

  it("turns text into what an option takes", () => {
    const options = { hypervisor: { qemu: { enable_annotations: [".*"] } } };
    const asked = changed({ "hypervisor.disable_vhost_net": "true", "hypervisor.kernel_params": "8" }, options);
    expect(asked.hypervisor?.qemu).toMatchObject({ disable_vhost_net: true, kernel_params: "8" });
  });

  it.each([
    ["1", true],
    ["t", true],
    ["True", true],
    ["TRUE", true],
    ["0", false],
    ["F", false],
    ["False", false],
  ])("are truth as Go writes it: %s", (text, value) => {
    const options = { hypervisor: { qemu: { enable_annotations: [".*"] } } };
    const asked = changed({ "hypervisor.enable_iommu": text }, options);
    expect(asked.hypervisor?.qemu?.enable_iommu).toBe(value);
  });

  it.each(["yes", "tRUE", "2", ""])("are no truth otherwise: %j", (text) => {
    const options = { hypervisor: { qemu: { enable_annotations: [".*"] } } };
    expect(() => changed({ "hypervisor.enable_iommu": text }, options)).toThrow("is no value for it");
  });

  it("may load modules into their own guest, unasked", () => {
    const asked = changed({ "agent.kernel_modules": "e1000e EEE=1; i915" });
    expect(asked.agent?.kata?.kernel_modules).toEqual(["e1000e EEE=1", "i915"]);
  });

  it("raise the number of processors by Kata's name, within the host's", () => {
    const options = { hypervisor: { qemu: { enable_annotations: ["max_?vcpus"] } } };
    expect(changed({ "hypervisor.default_max_vcpus": "1" }, options).hypervisor?.qemu?.default_maxvcpus).toBe(1);
    expect(() => changed({ "hypervisor.default_max_vcpus": "999" }, options)).toThrow("is more than");
  });
});
