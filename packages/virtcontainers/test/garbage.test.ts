import { describe, expect, it, vi } from "vitest";
import { collectGarbage, parseContainerId } from "../src/index.ts";
import { FakeAgent, fakePorts } from "../src/testing/index.ts";

/** No process has this identity. */
const DEAD = { pid: 2 ** 31 - 1, startTime: 0 };

describe("garbage", () => {
  it("is no VM whose creator lives, and may be about to record it; without the creator it is", async () => {
    const ports = fakePorts(() => new FakeAgent().connect());
    const { hypervisor, store } = ports;
    const id = parseContainerId("web");
    await hypervisor.boot({ sandboxId: id, owner: store.locationOf(id), forwardLoopback: false });
    expect(await collectGarbage(ports, { dryRun: false })).toEqual([]);

    const found = await hypervisor.found();
    const orphans = found.map((vm) => ({ ...vm, creator: DEAD }));
    vi.spyOn(hypervisor, "found").mockResolvedValueOnce(orphans);
    const garbage = found.map(({ state }) => ({
      ...{ kind: "vm", name: state.dir, why: "no container's record names it" },
    }));
    expect(garbage).toHaveLength(1);
    expect(await collectGarbage(ports, { dryRun: false })).toEqual(garbage);
    expect(await hypervisor.found()).toEqual([]);
  });

  it("is no VM that was detached, while it runs", async () => {
    const ports = fakePorts(() => new FakeAgent().connect());
    const { hypervisor } = ports;
    hypervisor.creator = DEAD;
    const vm = await hypervisor.boot({ sandboxId: "detached", detachable: true });
    await vm.detach("");
    expect(await collectGarbage(ports, { dryRun: false })).toEqual([]);
    process.kill(vm.state.vmm.pid, "SIGKILL");
    await vm.ended;
    const why = "it was detached, and has ended";
    expect(await collectGarbage(ports, { dryRun: false })).toEqual([{ kind: "vm", name: vm.state.dir, why }]);
  });
});
