import type { Mutant } from "./mutant.ts";

export const agent: readonly Mutant[] = [
  {
    name: "the guest's runtime gets a version that it knows",
    file: "packages/agent/src/container/guest-spec.ts",
    code: "ociVersion: GUEST_OCI_VERSION,",
    without: "",
    test: ["packages/agent/src/container/guest-spec", "a version that it knows"],
  },
  {
    name: "watchers of what the kubelet publishes get events",
    file: "packages/agent/src/storage/published-volumes.ts",
    code: "      this.#lookLater();\n      return volume.path;",
    without: "      return volume.path;",
    test: ["e2e/test/host-files", "published it anew"],
  },
  {
    name: "a process ends with its shim",
    file: "packages/agent/src/container/process-owner.ts",
    code: "    else endOrphan(process, forget);",
    without: "",
    test: ["e2e/test/signals", "that end a process are its status"],
  },
  {
    name: "an agent answers while processes begin",
    file: "packages/agent/src/container/oci-runtime.ts",
    code: "availableParallelism() + 1",
    without: "availableParallelism() + 1_000",
    test: ["e2e/test/agent-load", "a lot of processes"],
  },
  {
    name: "a clock that is set makes no jump under what runs",
    file: "packages/agent/src/guest/clock.ts",
    code: "this.#hasRun ? STEP_MS : 0",
    without: "0",
    test: ["packages/agent/src/guest/clock", "does not jump"],
  },
  {
    name: "a link in a volume leads no container anywhere else",
    file: "packages/agent/src/storage/storage.ts",
    code: "if (realpathSync(mountPoint) !== mountPoint)",
    without: "if (realpathSync(mountPoint) === undefined)",
    test: ["e2e/test/pods", "one volume in memory"],
  },
  {
    name: "a device that no rule allows is denied",
    file: "packages/agent/src/container/device-rules.ts",
    code: 'return [{ allow: false, access: "rwm" }, ...devices',
    without: "return [...devices",
    test: ["e2e/test/devices-denied", "by rules that are none"],
  },
  {
    name: "an image's /dev leads nowhere",
    file: "packages/agent/src/sandbox/sandbox.ts",
    code: "if (numbered.root !== undefined) dev = new RootDev(numbered.root.path);",
    without: 'if (numbered.root === undefined) dev = new RootDev("/");',
    test: ["e2e/test/hostile-guest", "an image whose /dev leads out of it"],
  },
  {
    name: "digits of a user are a number",
    file: "packages/agent/src/container/named-user.ts",
    code: "return /^\\d+$/.test(key);",
    without: 'return key === "";',
    test: ["packages/agent/src/container/named-user", "of digits is a number"],
  },
];
