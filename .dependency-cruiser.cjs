/** The floors of docs/architecture.md: an import only ever points down. */
const floors = {
  linux: [],
  "agent-protocol": [],
  tree: ["linux"],
  netns: ["linux"],
  "qemu-driver": ["linux"],
  shim: ["agent-protocol", "linux"],
  proxy: ["agent-protocol", "qemu-driver", "netns", "linux"],
  guest: ["linux"],
  "guest-linux-x64": [],
  virtcontainers: ["guest", "proxy", "shim", "qemu-driver", "netns", "agent-protocol", "tree", "linux"],
  agent: ["agent-protocol", "tree", "linux"],
  runtime: ["virtcontainers", "agent-protocol", "linux"],
  "runtime-cli": ["runtime", "virtcontainers", "netns", "oci-image", "agent-protocol", "tree", "linux"],
  "containerd-shim": ["runtime", "virtcontainers", "shim", "agent-protocol", "linux"],
  "guest-image": [],
  "oci-image": ["tree", "linux"],
  quickjs: ["guest-image"],
  fuzzing: [],
};

/** What tests may use beside. */
const forTests = "fuzzing/src/index.ts";

const rules = Object.entries(floors).map(([name, below]) => ({
  name: `floor-${name}`,
  severity: "error",
  comment: `${name} may import: ${below.join(", ") || "no other package of the workspace"}`,
  from: { path: `^packages/${name}/` },
  to: { path: "^packages/", pathNot: [`^packages/(${[name, ...below].join("|")})/`, `^packages/${forTests}`] },
}));

module.exports = {
  forbidden: [
    ...rules,
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      comment: "Types, too: what two files need of each other belongs into a third",
      to: { circular: true },
    },
    {
      name: "no-deep-imports",
      severity: "error",
      comment: "A package is used through its exports",
      from: { path: "^packages/([^/]+)/" },
      to: {
        path: "^packages/([^/]+)/(src|dist)/",
        pathNot: [
          "^packages/$1/",
          "^packages/[^/]+/dist/(index|guest-contract|arguments|shape|records|dropped-output|opentelemetry|ttrpc|grpc|testing/index|nat/index|process-stream/index|network-streams/index)\\.d?\\.?[jt]s$",
          `^packages/${forTests}`,
        ],
      },
    },
    {
      name: "qemu-only-in-its-adapter",
      severity: "error",
      comment: "Everything else goes through the port Vmm; kata-proxy's program names its launcher: docs/adr/0034",
      from: {
        path: "^packages/[^/]+/(src|test)/",
        pathNot: "^packages/(qemu-driver/|virtcontainers/src/vmm-qemu/|proxy/src/bin\\.ts$)",
      },
      to: { path: "^packages/qemu-driver/" },
    },
    {
      name: "adapter-only-where-ports-are-composed",
      severity: "error",
      comment: "Operations know the port, not the monitor behind it",
      from: {
        path: "^packages/virtcontainers/src/",
        pathNot: "^packages/virtcontainers/src/(vmm-qemu/|embedded/|index\\.ts$|.*\\.test\\.ts$)",
      },
      to: { path: "^packages/virtcontainers/src/vmm-qemu/" },
    },
    {
      name: "fuzzing-only-in-tests",
      severity: "error",
      from: { pathNot: "(\\.test\\.ts$|^packages/fuzzing/)" },
      to: { path: "^packages/fuzzing/" },
    },
    {
      name: "native-only-in-linux",
      severity: "error",
      from: { path: "^packages/", pathNot: "^packages/linux/" },
      // The engine's stand-in for koffi is a file of that name.
      to: { path: "koffi", pathNot: "^packages/quickjs/src/node/koffi\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(gen|node_modules)/" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "node", "default"] },
  },
};
