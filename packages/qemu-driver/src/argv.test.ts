import { describe, expect, it } from "vitest";
import { qemuArgv } from "./argv.ts";
import type { VmConfig } from "./vm-config.ts";

const PORTLESS: VmConfig = {
  name: "sandbox-a,b",
  qemuPath: "/usr/bin/qemu-system-x86_64",
  accelerator: "kvm",
  vcpus: 1,
  memoryMiB: 2048,
  maxMemoryMiB: 4096,
  maxVcpus: 4,
  kernelPath: "/g/vmlinux",
  imagePath: "/g/rootfs.ext4",
  kernelParams: ["last=wins"],
  qmpSocket: "/v/qmp.sock",
  rootPorts: 1,
};
const CONFIG: VmConfig = { ...PORTLESS, serialPort: { name: "agent.channel.0", socket: "/v/agent.sock" } };

/** Where a guest finds its image, by how it is attached. */
function imageIn(config: VmConfig): string[] {
  const isOfImage = /^(root=|.*\bimage\b|virtio-pmem|.*maxmem)/;
  return qemuArgv(config).filter((argument) => isOfImage.test(argument));
}

describe("the arguments of helpers, whole: a change must be seen", () => {
  it("has a vsock device of the host's kernel, or of a program, in place of the serial port", () => {
    const kernel = qemuArgv({ ...PORTLESS, vsock: { kind: "vhost", cid: 77, fd: 4 } });
    expect(kernel).toContain("vhost-vsock-pci,guest-cid=77,vhostfd=4,romfile=");
    expect(kernel.join(" ")).not.toMatch(/virtio-serial|virtserialport/);
    const program = qemuArgv({ ...PORTLESS, vsock: { kind: "vhost-user", fd: 5 } });
    expect(program).toEqual(
      expect.arrayContaining(["socket,id=vsock,fd=5", "vhost-user-vsock-pci,chardev=vsock,romfile="]),
    );
  });

  it("QEMU's", () => {
    expect(qemuArgv(CONFIG)).toMatchInlineSnapshot(`
      [
        "-name",
        "guest=sandbox-a,,b",
        "-machine",
        "q35,memory-backend=mem",
        "-accel",
        "kvm",
        "-cpu",
        "host,migratable=off",
        "-smp",
        "1,maxcpus=4",
        "-m",
        "2048M,slots=24,maxmem=4096M",
        "-object",
        "memory-backend-memfd,id=mem,size=2048M,share=on",
        "-no-user-config",
        "-nodefaults",
        "-no-reboot",
        "-display",
        "none",
        "-vga",
        "none",
        "-sandbox",
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "-chardev",
        "socket,id=qmp,path=/v/qmp.sock,server=on,wait=off",
        "-mon",
        "qmp,mode=control",
        "-kernel",
        "/g/vmlinux",
        "-append",
        "root=/dev/vda rootfstype=ext4 ro init=/sbin/init console=ttyS0 quiet loglevel=5 panic=-1 reboot=k random.trust_cpu=on tsc=reliable no_timer_check rcupdate.rcu_expedited=1 cryptomgr.notests i8042.direct=1 i8042.dumbkbd=1 i8042.nopnp=1 i8042.noaux=1 swiotlb=1024 net.ifnames=0 loop.max_loop=0 pty.legacy_count=0 initcall_blacklist=jent_mod_init dummy.numdummies=0 ifb.numifbs=0 last=wins",
        "-chardev",
        "stdio,id=console,signal=off",
        "-serial",
        "chardev:console",
        "-object",
        "rng-random,id=rng0,filename=/dev/urandom",
        "-device",
        "virtio-rng-pci,rng=rng0,romfile=",
        "-device",
        "virtio-balloon-pci,id=balloon0,free-page-reporting=on,romfile=",
        "-blockdev",
        "driver=file,node-name=image-file,filename=/g/rootfs.ext4,read-only=on,locking=off",
        "-blockdev",
        "driver=raw,node-name=image,file=image-file,read-only=on",
        "-device",
        "virtio-blk-pci,drive=image,romfile=",
        "-device",
        "virtio-serial-pci,id=serial0,romfile=",
        "-chardev",
        "socket,id=port0,path=/v/agent.sock,server=on,wait=off",
        "-device",
        "virtserialport,chardev=port0,name=agent.channel.0",
        "-device",
        "pcie-root-port,id=rp0,bus=pcie.0,addr=0x10,chassis=1,slot=1",
      ]
    `);
  });

  it("with a generation of its own, whatever is restored in it", () => {
    const added = qemuArgv({ ...CONFIG, generation: true }).filter((each) => !qemuArgv(CONFIG).includes(each));
    expect(added).toEqual(["vmgenid,guid=auto"]);
  });

  it("emulated, with an initrd and a 9p share", () => {
    const argv = qemuArgv({
      ...CONFIG,
      accelerator: "tcg",
      initrdPath: "/g/initrd",
      firmwarePath: "/q/qboot.rom",
      share9p: { path: "/v/shared", tag: "kataShared" },
    });
    expect(argv).toContain("tcg,tb-size=64");
    expect(argv).toContain("/g/initrd");
    expect(argv[argv.indexOf("-bios") + 1]).toBe("/q/qboot.rom");
    expect(argv).toContain("local,id=share9p,path=/v/shared,security_model=none,multidevs=remap");
    expect(argv).toContain("virtio-9p-pci,fsdev=share9p,mount_tag=kataShared,romfile=");
  });

  it("emulated, with processors of which QEMU knows that more than one may be at work", () => {
    const emulated = { ...CONFIG, accelerator: "tcg", maxVcpus: 1 } as const;
    const smp = (config: VmConfig): string | undefined => qemuArgv(config)[qemuArgv(config).indexOf("-smp") + 1];
    expect(smp(emulated)).toBe("1,maxcpus=2");
    expect(qemuArgv(emulated).join(" ")).toContain(" possible_cpus=1 ");
    expect(smp({ ...emulated, maxVcpus: 3 })).toBe("3,maxcpus=3");
    expect(smp({ ...emulated, vcpus: 2, maxVcpus: 2 })).toBe("2,maxcpus=2");
    expect(qemuArgv({ ...emulated, vcpus: 2, maxVcpus: 2 }).join(" ")).not.toContain("cpus=1");
  });

  it("of a QEMU that restores a saved machine: the same but for its memory, its waiting and what cannot be saved", () => {
    const booted = qemuArgv(CONFIG);
    const clone = qemuArgv({ ...CONFIG, memoryFile: "/memory", incoming: true });
    expect(clone.filter((each) => !booted.includes(each))).toEqual([
      "host",
      "memory-backend-file,id=mem,size=2048M,share=on,mem-path=/memory",
      "-incoming",
      "defer",
    ]);
  });

  it("of one that can be saved: its memory is a file from the start, and there before it is used where that was asked for", () => {
    const backend = "memory-backend-file,id=mem,size=2048M,share=on,prealloc=on,mem-path=/memory";
    const memory = { memory: { preallocated: true }, memoryFile: "/memory", savable: true };
    expect(qemuArgv({ ...CONFIG, ...memory })).toContain(backend);
    expect(qemuArgv({ ...CONFIG, ...memory, incoming: true })).not.toContain(backend);
  });

  it("of one whose memory begins as that of a saved machine, and is its own where it is written to", () => {
    const copy = qemuArgv({ ...CONFIG, memoryImage: "/srv/memory", incoming: true });
    const backend = "memory-backend-file,id=mem,size=2048M,share=off,readonly=on,rom=off,mem-path=/srv/memory";
    expect(copy.filter((each) => !qemuArgv(CONFIG).includes(each))).toEqual(["host", backend, "-incoming", "defer"]);
  });

  it("with nothing under KVM that is there for emulation's sake", () => {
    const onlyEmulated = /tb-size|erms|la57|tsc_early_khz|noreplace-smp|init_on_alloc| maxcpus=1 | possible_cpus=1 /;
    expect(qemuArgv({ ...CONFIG, maxVcpus: 1 }).join(" ")).not.toMatch(onlyEmulated);
    expect(qemuArgv({ ...CONFIG, maxVcpus: 1, accelerator: "tcg" }).join(" ")).toMatch(onlyEmulated);
  });

  it("QEMU's, with the image as memory", () => {
    const image = imageIn({ ...CONFIG, accelerator: "tcg", imagePmemBytes: 256 * 1024 ** 2 });
    expect(image.map((argument) => argument.replace(/tsc_early_khz=\d+ /, ""))).toMatchInlineSnapshot(`
      [
        "2048M,slots=24,maxmem=4352M",
        "root=/dev/pmem0 rootflags=dax rootfstype=ext4 ro init=/sbin/init console=ttyS0 quiet loglevel=5 panic=-1 reboot=k random.trust_cpu=on tsc=reliable no_timer_check rcupdate.rcu_expedited=1 cryptomgr.notests i8042.direct=1 i8042.dumbkbd=1 i8042.nopnp=1 i8042.noaux=1 swiotlb=1024 net.ifnames=0 loop.max_loop=0 pty.legacy_count=0 initcall_blacklist=jent_mod_init dummy.numdummies=0 ifb.numifbs=0 noreplace-smp init_on_alloc=1 maxcpus=1 last=wins",
        "memory-backend-file,id=image,mem-path=/g/rootfs.ext4,size=268435456,share=on,readonly=on",
        "virtio-pmem-pci,memdev=image,id=pmem0",
      ]
    `);
  });
});
