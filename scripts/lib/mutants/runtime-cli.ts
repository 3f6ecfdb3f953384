import type { Mutant } from "./mutant.ts";

export const runtimeCli: readonly Mutant[] = [
  {
    name: "containerd keeps its own runtime",
    file: "packages/runtime-cli/src/engines/containerd.ts",
    code: "compose({ ...lost, ...ours })",
    without: "compose(ours)",
    test: ["e2e/test/engine-configuration", "the CRI plugin still loads"],
  },
  {
    name: "a member of a podman 5 pod joins it",
    file: "packages/runtime/src/bundle/sandbox.ts",
    code: '  { engine: "podman 5", sandboxId: "io.kubernetes.cri-o.SandboxID" },',
    without: "",
    test: ["packages/runtime/src/bundle/sandbox", "trixie-podman-pod-member"],
  },
  {
    name: "a wrong configuration does not block calls about what runs",
    file: "packages/runtime/src/open-runtime.ts",
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
    name: "cached options hold only for the files that they come from",
    file: "packages/runtime/src/config/cached-options.ts",
    code: "JSON.stringify(loaded.files) === JSON.stringify(files)",
    without: "loaded.files.length === files.length",
    test: ["packages/runtime/src/config/cached-options", "a file says something else"],
  },
  {
    name: "an annotation names no file of the host that is not listed",
    file: "packages/runtime/src/config/annotations.ts",
    code: "isValidPath(text, listOf(qemu, validPaths))",
    without: "isValidPath(text, [text, ...listOf(qemu, validPaths)])",
    test: ["packages/runtime/src/config/annotations", "that the administrator has listed"],
  },
  {
    name: "a VM is made of the files whose hashes a sandbox names",
    file: "packages/runtime/src/config/asset-hashes.ts",
    code: "=== hash.toLowerCase()",
    without: "!== hash.slice(1)",
    test: ["packages/runtime/src/config/kata-1x-annotations", "of these very files"],
  },
  {
    name: "a damaged leftover keeps no kata run from running",
    file: "packages/runtime-cli/src/front/leftovers.ts",
    code: "await removeBundle(path);\n    } catch (error) {\n      warn(",
    without:
      "await removeBundle(path);\n    } catch (error) {\n      if (error !== undefined) throw error;\n      warn(",
    test: ["packages/runtime-cli/src/front/leftovers", "keeps no other"],
  },
  {
    name: "a bundle that is no container's keeps no kata run from running",
    file: "packages/runtime-cli/src/front/leftovers.ts",
    code: "left.push(path);\n    } catch (error) {\n      warn(",
    without: "left.push(path);\n    } catch (error) {\n      if (error !== undefined) throw error;\n      warn(",
    test: ["packages/runtime-cli/src/front/leftovers", "with a name that is no container's"],
  },
];
