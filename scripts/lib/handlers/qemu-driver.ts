import type { Handler } from "./handler.ts";

export const qemuDriver: readonly Handler[] = [
  {
    name: "a VM ends with its kata-proxy",
    file: "packages/qemu-driver/src/spawn.ts",
    code: '["--pdeathsig", "KILL", ...privileges,',
    without: "[...privileges,",
    test: ["e2e/test/reaper-contract", "ends the VM with its watchman"],
  },
  {
    name: "a kernel panic ends the VM",
    file: "packages/qemu-driver/src/kernel-params.ts",
    code: '"panic=-1",',
    without: '"panic=0",',
    test: ["e2e/test/guest-faults", "in a kernel panic"],
  },
  {
    name: "an emulated guest has memory barriers",
    file: "packages/qemu-driver/src/argv.ts",
    code: "{ maxcpus: Math.max(max, 2) }",
    without: "{ maxcpus: max }",
    test: ["e2e/test/boot", "with the memory barriers"],
  },
  {
    name: "QEMU has none of root's capabilities",
    file: "packages/qemu-driver/src/spawn.ts",
    code: "withoutCapabilities ? WITHOUT_CAPABILITIES : []",
    without: 'withoutCapabilities && command === "" ? WITHOUT_CAPABILITIES : []',
    test: ["e2e/test/hostile-guest", "without root's capabilities"],
  },
  {
    name: "a slow guest does not cost a host its KVM",
    file: "packages/qemu-driver/src/standstill-watch.ts",
    code: "if (now.signs !== before.signs) {",
    without: "if (now.signs < before.signs) {",
    test: ["packages/qemu-driver/src/accelerator", "that is slow is waited for"],
  },
  {
    name: "a guest that ran under KVM counts more than a trial",
    file: "packages/qemu-driver/src/accelerator.ts",
    code: "if (cameUp && !isKnownToWork)",
    without: "if (!cameUp && !isKnownToWork)",
    test: ["packages/qemu-driver/src/accelerator", "gives way to a guest that ran"],
  },
  {
    name: "a machine that is saved has a processor that can be",
    file: "packages/qemu-driver/src/argv.ts",
    code: 'return memoryFd === undefined ? option("host", { migratable: false }) : "host";',
    without: 'return option("host", { migratable: false });',
    test: ["packages/qemu-driver/src/argv", "what cannot be saved"],
  },
  {
    name: "a QMP line costs time in proportion to its length",
    file: "packages/qemu-driver/src/qmp/line-reader.ts",
    code: "Buffer.alloc(Math.max(length, this.#held.length * 2))",
    without: "Buffer.alloc(length)",
    test: ["packages/qemu-driver/src/qmp/client", "byte by byte"],
  },
  {
    name: "an emulated guest runs no code of what was in a page before",
    file: "packages/qemu-driver/src/kernel-params.ts",
    code: ', "init_on_alloc=1"]',
    without: "]",
    test: ["e2e/test/executables", "the next one's code"],
  },
];
