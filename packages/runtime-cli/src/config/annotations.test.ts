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
    "agent.enable_tracing",
    "__proto__.x",
  ])("may not set %s", (name) => {
    expect(() => changed({ [name]: "1" })).toThrow(`annotation ${PREFIX}.${name} is not enabled`);
  });

  it("may set what an administrator has named, whole, but no path and not the list", () => {
    const options = { hypervisor: { qemu: { enable_annotations: ["virtio_fs_.*", "kernel", "path", ".*able.*"] } } };
    expect(changed({ "hypervisor.virtio_fs_cache": "none" }, options).hypervisor?.qemu?.virtio_fs_cache).toBe("none");
    for (const name of ["virtio_fs_daemon", "kernel", "path", "kernel_params", "enable_annotations"]) {
      expect(() => changed({ [`hypervisor.${name}`]: "x" }, options), name).toThrow("is not enabled");
    }
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
});
