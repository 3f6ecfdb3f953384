// For embedded.test.ts: a program with a sandbox in it, as Sandbox.create makes one, but for the VM: the guest is what listens at
// a socket. Given two sockets, its channel is relayed in this process, as an embedding program's is.
import { dirname } from "node:path";
import { connectAgent } from "@kata-ts/agent-protocol";
import { identifyProcess } from "@kata-ts/linux";
import { Relay } from "@kata-ts/proxy";
import { Sandbox } from "../../src/index.ts";
import type { Vm } from "../../src/ports/hypervisor.ts";
import { FakeHypervisor, fakePorts } from "../../src/testing/index.ts";

const [agentSocket = "", muxSocket] = process.argv.slice(2);

/** This process stands for the VM: they end together. */
class FloodedHypervisor extends FakeHypervisor {
  override async boot(): Promise<Vm> {
    const [dir, qemu] = ["/flooded", identifyProcess(process.pid)];
    this.shared.set(dir, new Map());
    this.members.set(dir, new Set());
    return this.reopen({ dir, agentUrl: `unix://${agentSocket}`, processes: [qemu], vmm: qemu, accelerator: "fake" });
  }
}

const over = new AbortController();
if (muxSocket !== undefined) {
  const onGuestStream = (stream: { destroy(): void }): void => {
    stream.destroy();
  };
  const relay = await Relay.start({ listenSocket: agentSocket, muxSocket, onGuestStream });
  void relay.ended.then(() => {
    over.abort();
  });
}
const ports = { ...fakePorts(connectAgent), hypervisor: new FloodedHypervisor() };
try {
  const vm = { kernelPath: "/kernel", imagePath: "/image" };
  await using sandbox = await Sandbox.create({ vm, signal: over.signal }, ports);
  // A mount point is made in the test's directory, which goes with the test: it kills this program.
  await sandbox.run({ rootfs: dirname(agentSocket), args: ["true"], maxBytes: 1024 });
} catch {
  // A guest that floods is no guest that works.
}
