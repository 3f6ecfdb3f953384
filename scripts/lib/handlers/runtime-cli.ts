import type { Handler } from "./handler.ts";

export const runtimeCli: readonly Handler[] = [
  {
    name: "containerd keeps its own runtime",
    file: "packages/runtime-cli/src/engines/containerd.ts",
    code: "compose({ ...lost, ...ours })",
    without: "compose(ours)",
    test: ["e2e/test/engine-configuration", "the CRI plugin still loads"],
  },
  {
    name: "a member of a podman 5 pod joins it",
    file: "packages/runtime-cli/src/bundle/sandbox.ts",
    code: '  { engine: "podman 5", sandboxId: "io.kubernetes.cri-o.SandboxID" },',
    without: "",
    test: ["packages/runtime-cli/src/bundle/sandbox", "trixie-podman-pod-member"],
  },
  {
    name: "a wrong configuration keeps nobody from what runs",
    file: "packages/runtime-cli/src/context.ts",
    code: 'if (!(error instanceof KataError) || error.code !== "KATA_CONFIG") throw error;',
    without: 'if (!(error instanceof KataError) || error.code !== "KATA_STATE") throw error;',
    test: ["e2e/test/errors", "has become wrong"],
  },
  {
    name: "a command's output is whole however late its reader is",
    file: "packages/runtime-cli/src/output/print.ts",
    code: '!== "EAGAIN") throw error;',
    without: '=== "EAGAIN") throw error;',
    test: ["packages/runtime-cli/src/output/print", "its reader is late"],
  },
  {
    name: "kept options hold only for the files that they are of",
    file: "packages/runtime-cli/src/config/kept.ts",
    code: "JSON.stringify(given.files) === JSON.stringify(files)",
    without: "given.files.length === files.length",
    test: ["packages/runtime-cli/src/config/kept", "a file says something else"],
  },
  {
    name: "an annotation names no file of the host that is not listed",
    file: "packages/runtime-cli/src/config/annotations.ts",
    code: "isValidPath(text, listOf(qemu, validPaths))",
    without: "isValidPath(text, [text, ...listOf(qemu, validPaths)])",
    test: ["packages/runtime-cli/src/config/annotations", "that the administrator has listed"],
  },
  {
    name: "a VM is made of the files whose hashes a sandbox names",
    file: "packages/runtime-cli/src/config/asset-hashes.ts",
    code: "=== hash.toLowerCase()",
    without: "!== hash.slice(1)",
    test: ["packages/runtime-cli/src/config/kata-1x-annotations", "of these very files"],
  },
  {
    name: "a damaged leftover keeps no kata run from running",
    file: "packages/runtime-cli/src/front/leftovers.ts",
    code: "} catch (error) {\n      warn(",
    without: "} catch (error) {\n      if (error !== undefined) throw error;\n      warn(",
    test: ["packages/runtime-cli/src/front/leftovers", "keeps no other"],
  },
];
