import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fuzz, mutated, throwsOnly } from "@kata-ts/fuzzing";
import fc from "fast-check";
import { afterAll, beforeAll, describe } from "vitest";
import { loadBundle, loadProcess } from "./bundle/load.ts";
import { podRole, sharesPidNamespace } from "./bundle/sandbox.ts";
import { unsupportedFields } from "./bundle/unsupported.ts";
import { withAnnotations } from "./config/annotations.ts";
import { checkFiles } from "./config/check-files.ts";
import { configurationOf } from "./config/configuration.ts";
import { findInstallation } from "./config/installation.ts";

const PROCESS = {
  terminal: false,
  user: { uid: 0, gid: 0, additionalGids: [1] },
  args: ["sh", "-c", "true"],
  env: ["PATH=/bin", "X=ü"],
  cwd: "/",
  capabilities: { bounding: ["CAP_KILL"] },
  rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
};
const SPEC = {
  ociVersion: "1.0.2",
  process: PROCESS,
  root: { path: "rootfs", readonly: true },
  hostname: "h",
  mounts: [{ destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] }],
  hooks: { createRuntime: [{ path: "/bin/true", args: ["true"], timeout: 3 }] },
  annotations: { "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "a" },
  linux: {
    namespaces: [{ type: "network", path: "/run/netns/a" }, { type: "pid" }],
    resources: { memory: { limit: 1048576 }, cpu: { quota: 100000, period: 100000 }, devices: [{ allow: false }] },
    seccomp: { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }] },
    cgroupsPath: "/a",
  },
};
const TOML = `[hypervisor.qemu]
path = "/usr/bin/qemu-system-x86_64"
default_vcpus = 2
kernel_params = "quiet a=\\"b\\""
[runtime]
internetworking_model = "tcfilter"
boot_timeout = 60
`;

describe("fuzz", () => {
  let directory = "";
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-fuzz-"));
    mkdirSync(join(directory, "rootfs"));
  });

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  fuzz("config-json", mutated([JSON.stringify(SPEC)]), (text) => {
    file("config.json", text);
    throwsOnly(["KATA_CONFIG", "KATA_ID_INVALID", "KATA_HOST_NETWORK"], () => {
      const { spec } = loadBundle(directory);
      unsupportedFields(spec);
      podRole(spec, "own");
      sharesPidNamespace(spec);
    });
  });

  fuzz("process-json", mutated([JSON.stringify(PROCESS)]), (text) => {
    throwsOnly(["KATA_CONFIG"], () => loadProcess(file("process.json", text)));
  });

  const installation = findInstallation("/opt/kata-ts/libexec/kata-ts");
  fuzz("configuration-toml", mutated([TOML]), (text) => {
    throwsOnly(["KATA_CONFIG"], () =>
      configurationOf(checkFiles([{ path: "configuration.toml", text }]).options, installation),
    );
  });

  const keys = [
    "io.kubernetes.cri.container-type",
    "io.kubernetes.cri.sandbox-id",
    "io.kubernetes.cri-o.ContainerType",
    "io.kubernetes.cri-o.SandboxID",
    "io.kubernetes.docker.type",
    "io.kubernetes.sandbox.id",
    "io.katacontainers.config.hypervisor.virtio_fs_extra_args",
    "io.katacontainers.config.hypervisor.default_memory",
    "__proto__",
  ];
  const values = fc.oneof(
    fc.constantFrom("sandbox", "container", "podsandbox", "a", "../b", "512", "1e9"),
    fc.string(),
  );
  fuzz("annotations", fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), values), (annotations) => {
    const spec = { ociVersion: "1.0.2", annotations };
    throwsOnly(["KATA_CONFIG", "KATA_ID_INVALID"], () => podRole(spec, "own"));
    throwsOnly(["KATA_ANNOTATION"], () => withAnnotations({}, annotations));
  });
});
