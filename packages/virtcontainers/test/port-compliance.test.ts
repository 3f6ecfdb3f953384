import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAgentServer } from "@kata-ts/agent-protocol";
import { inNetworkNamespace, NetworkNamespace, runBatch } from "@kata-ts/netns";
import { afterEach, beforeEach, describe, it } from "vitest";
import {
  ExternalShims,
  type LocalShim,
  LocalShims,
  NamespaceNetwork,
  parseContainerId,
  type Shim,
  type Vm,
} from "../src/index.ts";
import {
  cgroupsCompliance,
  FakeAgent,
  FakeCgroups,
  FakeHypervisor,
  FakeNetwork,
  FakeShims,
  type NetworkUnderTest,
  networkCompliance,
  shimsCompliance,
} from "../src/testing/index.ts";

const KATA_SHIM = join(import.meta.dirname, "..", "..", "shim", "src", "bin.ts");

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ports-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe("FakeCgroups", () => {
  it.each(cgroupsCompliance)("$rule", async ({ check }) => {
    const cgroups = new FakeCgroups();
    await check({
      cgroups,
      path: "/pod/a",
      processesIn: ({ directories: [first = ""] }) => {
        const cgroup = cgroups.made.get(first);
        return cgroup === undefined ? undefined : [...cgroup.processes];
      },
    });
  });
});

describe("FakeShims", () => {
  it.each(shimsCompliance)("$rule", async ({ check }) => {
    const fake = new FakeAgent();
    const connect = (url: string) => {
      if (url === "fake://none") throw new Error("no agent");
      return fake.connect();
    };
    await check({
      shims: new FakeShims(connect),
      agent: fake.connect(),
      agentUrl: "fake://agent",
      deadUrl: "fake://none",
      loseGuest: () => {
        fake.end();
      },
    });
  });
});

describe("LocalShims", () => {
  it.each(shimsCompliance)("$rule", async ({ check }) => {
    const fake = new FakeAgent();
    const local = new LocalShims((url) => {
      if (url === "fake://none") throw new Error("no agent");
      return fake.connect();
    });
    await check({
      // The program whose shims they are reads the outputs.
      shims: { launch: (request) => new ReadShim(local.launch(request)) },
      agent: fake.connect(),
      agentUrl: "fake://agent",
      deadUrl: "fake://none",
      loseGuest: () => {
        fake.end();
      },
    });
  });
});

class ReadShim implements Shim {
  readonly #shim: LocalShim;

  constructor(shim: LocalShim) {
    this.#shim = shim;
  }

  get identity(): Shim["identity"] {
    return this.#shim.identity;
  }

  get isShared(): boolean {
    return this.#shim.isShared;
  }

  get exited(): Promise<number> {
    return this.#shim.exited;
  }

  async connect(target: Parameters<Shim["connect"]>[0]): Promise<void> {
    await this.#shim.connect(target);
    for (const output of [this.#shim.guest?.stdout, this.#shim.guest?.stderr]) output?.resume();
  }

  kill(): void {
    this.#shim.kill();
  }
}

describe("kata-shim", () => {
  const fake = new FakeAgent();
  let server: Server;

  afterEach(() => {
    server.close();
  });

  it.each(shimsCompliance)("$rule", async ({ check }) => {
    const program = join(directory, "kata-shim");
    writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${KATA_SHIM} "$@"\n`);
    chmodSync(program, 0o755);
    const socket = join(directory, "agent.sock");
    const guest = createAgentServer(fake.handlers);
    server = createServer((connection) => {
      guest.serve(connection);
    }).listen(socket);
    const agent = fake.connect();
    await agent.destroySandbox({});
    await check({
      shims: new ExternalShims({ path: program }),
      agent,
      agentUrl: `unix://${socket}`,
      deadUrl: `unix://${directory}/none.sock`,
      loseGuest: () => {
        guest.close();
        server.close();
      },
    });
    guest.close();
  });
});

/** A VM that is a process in a namespace without interfaces, and has a directory. */
async function idleVm(namespace: NetworkNamespace): Promise<Vm> {
  const hypervisor = new FakeHypervisor();
  const sandboxId = parseContainerId("pod");
  const vm = await inNetworkNamespace(namespace.path, () => hypervisor.boot({ sandboxId }));
  return hypervisor.reopen({ ...vm.state, dir: directory });
}

describe("FakeNetwork", () => {
  it.each(networkCompliance)("$rule", async ({ check }) => {
    using namespace = NetworkNamespace.create();
    const network = new FakeNetwork();
    const links: NetworkUnderTest["links"] = {
      add: async (name, hwAddr, cidr) => {
        const [address = "", mask = ""] = (cidr ?? "").split("/");
        const IPAddresses = cidr === undefined ? [] : [{ address, mask }];
        (cidr === undefined ? network.idle : network.interfaces).set(name, { device: name, name, hwAddr, IPAddresses });
      },
      remove: async (name) => {
        for (const all of [network.interfaces, network.idle]) all.delete(name);
      },
    };
    const vm = await idleVm(namespace);
    try {
      await check({ network, vm, namespace, links });
    } finally {
      await vm.stop();
    }
  });
});

describe.each(["tcfilter", "macvtap"] as const)("NamespaceNetwork by %s", (model) => {
  it.each(networkCompliance)(
    "$rule",
    async ({ check }) => {
      using namespace = NetworkNamespace.create();
      const network = new NamespaceNetwork({ model, queues: 1, vhost: false, warn: () => undefined });
      const run = (...commands: readonly string[]) => runBatch("ip", namespace.path, commands);
      const links: NetworkUnderTest["links"] = {
        add: async (name, mac, address) => {
          const up =
            address === undefined
              ? []
              : [
                  `addr add ${address} dev ${name}`,
                  `link set dev ${name} up`,
                  `route add 198.51.100.${address.split(".")[2] ?? ""}/32 dev ${name}`,
                ];
          await run(
            `link add ${name} address ${mac} type veth peer name far-${name}`,
            `link set dev far-${name} addrgenmode none`,
            `link set dev far-${name} up`,
            `link set dev ${name} addrgenmode none`,
            ...up,
          );
        },
        remove: async (name) => {
          await run(`link delete dev ${name}`);
        },
      };
      const vm = await idleVm(namespace);
      try {
        await check({ network, vm, namespace, links });
      } finally {
        await vm.stop();
      }
    },
    30_000,
  );
});
