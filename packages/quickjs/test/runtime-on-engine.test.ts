// Unit tests of what kata-runtime and containerd-shim-kata-v2 are made of, run on the engine. Those that are not here use fake timers, start
// programs of Node's, read files that lie beside them, or wait for the kernel to make sure of addresses.
import { globSync } from "node:fs";
import { join } from "node:path";
import { prepareScriptEngine } from "@kata-ts/guest-image";
import { describe, expect, it } from "vitest";
import { runTestsOnEngine } from "../src/runner/run-tests.ts";

const PACKAGES = join(import.meta.dirname, "..", "..");

const TESTS = [
  "containerd-shim/src/{flags,group,log}.test.ts",
  "containerd-shim/src/{actions,events,metrics,rootfs,sandbox,stdio}/*.test.ts",
  "containerd-shim/test/{sandbox,stdio,tasks}.test.ts",
  "netns/src/{journal,namespace,physical,return-physical,scan,stale-name}.test.ts",
  "qemu-driver/src/{option,resizable-memory,saved-machine,tuning,confinement/host-trees,qmp/client}.test.ts",
  "runtime-cli/src/{commands,arguments/arguments,engines/*,verbs/one-file}.test.ts",
  "runtime-cli/src/front/{bundle,cni,data-directory,exec-user,failure,leftovers,nat-note,network-log,network-note,network,progress-line}.test.ts",
  "runtime-cli/src/output/{assets,guest-age,log-entries,output,prometheus,redact,timeline,version-text}.test.ts",
  "runtime/src/bundle/{check-namespaces,inherited-limits,load,refused}.test.ts",
  "runtime/src/{config/{annotations,asset-hashes,cached-options,user-range,vsock},observe/system-log}.test.ts",
  "virtcontainers/src/{identifiers,undo}.test.ts",
  "virtcontainers/src/{cache,cgroup,container,hooks,host,network,sandbox,template,vm,vmm-qemu}/*.test.ts",
  "virtcontainers/src/{embedded/template-directory,store/file-store}.test.ts",
];

const { program } = await prepareScriptEngine({ native: join(PACKAGES, "quickjs", "native") });

for (const file of TESTS.flatMap((pattern) => globSync(pattern, { cwd: PACKAGES })).sort()) {
  describe(file, async () => {
    for (const { name, failure } of await runTestsOnEngine(program, join(PACKAGES, file))) {
      it(name, () => {
        expect(failure).toBeUndefined();
      });
    }
  });
}
