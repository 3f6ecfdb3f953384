import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { isAlive, type ProcessIdentity, signalProcess } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import type { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { inNamespace, ourNetworkedRuntimes } from "../harness/networked.ts";
import { VM_ROOT } from "../harness/paths.ts";

async function addressedPod(network: TestNetwork): Promise<string> {
  const [pod, world] = [await network.namespace(), await network.namespace()];
  await network.veth(
    { namespace: pod, name: "eth0", addresses: ["10.214.0.2/24", "fd00:214::2/64"] },
    { namespace: world, name: "pod0", addresses: ["10.214.0.1/24", "fd00:214::1/64"] },
  );
  await network.ip(
    pod,
    "route add default via 10.214.0.1 metric 3",
    "route add default via fd00:214::1",
    "neigh add 10.214.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent",
    "neigh add 10.214.0.10 lladdr 02:00:00:00:00:0a dev eth0 nud permanent router",
  );
  return pod;
}

/** The processes of a container's VM, by the file that each one runs. */
function processesOf(kata: Kata, id: string): Record<"qemu" | "proxy", ProcessIdentity> {
  const record = JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as {
    vm: { vmm: ProcessIdentity; processes: [ProcessIdentity] };
  };
  return { qemu: record.vm.vmm, proxy: record.vm.processes[0] };
}

const OURS = ourNetworkedRuntimes(1);

describe.each(OURS)("a namespace is as it was under %s", (_name, open) => {
  expectCleanHost();

  async function started(kata: Kata, pod: string): Promise<string> {
    return kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        inNamespace(spec, pod);
      },
    });
  }

  it("after QEMU is killed, before anybody deletes the container, and after that", async () => {
    await using network = new TestNetwork();
    const pod = await addressedPod(network);
    const before = await network.snapshot(pod);
    await using kata = open();
    const id = await started(kata, pod);
    expect(await network.snapshot(pod)).not.toBe(before);
    const { qemu, proxy } = processesOf(kata, id);
    signalProcess(qemu, "SIGKILL");
    await kata.until(id, "stopped");
    while (isAlive(proxy)) await setImmediate();
    expect(await network.snapshot(pod)).toBe(before);
    await kata.ok(["delete", id]);
    expect(await network.snapshot(pod)).toBe(before);
  });

  it("after all that watched over the VM were killed, once the container is deleted", async () => {
    await using network = new TestNetwork();
    const pod = await addressedPod(network);
    const before = await network.snapshot(pod);
    await using kata = open();
    const id = await started(kata, pod);
    const { qemu, proxy } = processesOf(kata, id);
    signalProcess(proxy, "SIGKILL");
    while (isAlive(qemu)) await setImmediate();
    expect(await network.snapshot(pod)).not.toBe(before);
    await kata.ok(["delete", "--force", id]);
    expect(await network.snapshot(pod)).toBe(before);
  });

  it("after a create that is killed while its guest boots", async () => {
    await using network = new TestNetwork();
    const pod = await addressedPod(network);
    const before = await network.snapshot(pod);
    await using kata = open();
    const id = kata.id();
    const bundle = await kata.bundle({
      args: ["true"],
      edit: (spec) => {
        inNamespace(spec, pod);
      },
    });
    const known = new Set(readdirSync(VM_ROOT));
    const killed = kata.run(["create", "--bundle", bundle.path, id], {
      detachedStreams: true,
      onStart: (child) => {
        void connected(known).then(() => child.kill("SIGKILL"));
      },
    });
    expect((await killed).signal).toBe("SIGKILL");
    // The guest cannot be up so soon: it was cut off between the host's part of the network and the guest's.
    expect(await kata.state(id)).toMatchObject({ status: "stopped" });
    const { proxy } = processesOf(kata, id);
    while (isAlive(proxy)) await setImmediate();
    expect(await network.snapshot(pod)).toBe(before);
    await kata.ok(["delete", "--force", id]);
    expect(await network.snapshot(pod)).toBe(before);
  });

  it("after a create that fails in the guest", async () => {
    await using network = new TestNetwork();
    const pod = await addressedPod(network);
    const before = await network.snapshot(pod);
    await using kata = open();
    const bundle = await kata.bundle({
      args: ["/no-such-program"],
      edit: (spec) => {
        inNamespace(spec, pod);
      },
    });
    const created = await kata.run(["create", "--bundle", bundle.path, kata.id()]);
    expect(created.exitCode).toBe(1);
    expect(created.stderr).toContain("no-such-program");
    expect(await network.snapshot(pod)).toBe(before);
  });

  it.each([
    ["a hook that fails", "prestart", "exit 3", "exit status 3"],
    // As a network plugin does it that has no address left to give.
    [
      "a hook that adds an interface and then fails",
      "createRuntime",
      "ip -n $POD link add x0 type veth; ip -n $POD link del x0; echo no address is left >&2; exit 1",
      "no address is left",
    ],
  ])("after a create with %s", async (_what, kind, script, message) => {
    await using network = new TestNetwork();
    const pod = await addressedPod(network);
    const before = await network.snapshot(pod);
    await using kata = open();
    const bundle = await kata.bundle({
      args: ["true"],
      edit: (spec) => {
        inNamespace(spec, pod);
        const env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", `POD=${pod.slice(pod.lastIndexOf("/") + 1)}`];
        spec.hooks = { [kind]: [{ path: "/bin/sh", args: ["sh", "-c", script], env }] };
      },
    });
    const created = await kata.run(["create", "--bundle", bundle.path, kata.id()]);
    expect(created.stderr).toContain(message);
    expect(await network.snapshot(pod)).toBe(before);
  });

  it("after a create that finds its interface's name taken, which it leaves alone", async () => {
    await using network = new TestNetwork();
    const pod = await addressedPod(network);
    const index = /^(\d+): eth0/m.exec(await network.ip(pod, "link show"))?.[1] ?? "";
    await network.ip(pod, `link add tap${index}_kata type veth peer name other`);
    const before = await network.snapshot(pod);
    await using kata = open();
    const bundle = await kata.bundle({
      args: ["true"],
      edit: (spec) => {
        inNamespace(spec, pod);
      },
    });
    const created = await kata.run(["create", "--bundle", bundle.path, kata.id()]);
    expect(created.stderr).toContain(`there is a tap${index}_kata already`);
    expect(await network.snapshot(pod)).toBe(before);
  });
});

/** Resolves once a VM that was not there before has its network connected on the host's side. */
async function connected(known: ReadonlySet<string>): Promise<void> {
  using root = watching(VM_ROOT);
  for (;;) {
    const dir = readdirSync(VM_ROOT).find((name) => !known.has(name));
    if (dir !== undefined) {
      const journal = join(VM_ROOT, dir, "network.json");
      while (!existsSync(journal) || !readFileSync(journal, "utf8").includes("_kata")) await setImmediate();
      return;
    }
    await root.next();
  }
}

function watching(directory: string): Disposable & { next(): Promise<unknown> } {
  const watcher = watch(directory);
  return {
    next: () => once(watcher, "change"),
    [Symbol.dispose]: () => {
      watcher.close();
    },
  };
}

describe("a namespace that cannot be used", () => {
  expectCleanHost();

  it("is named before anything is made: the host's, one that is not there, one that is none", async () => {
    await using network = new TestNetwork();
    const pod = await network.namespace();
    for (const [name, open] of OURS) {
      await using kata = open();
      const attempt = async (path: string | undefined) => {
        const bundle = await kata.bundle({
          args: ["true"],
          edit: (spec) => {
            const linux = spec.linux as { namespaces: { type: string; path?: string }[] };
            if (path === undefined) linux.namespaces = linux.namespaces.filter(({ type }) => type !== "network");
            else inNamespace(spec, path);
          },
        });
        return kata.run(["create", "--bundle", bundle.path, kata.id()]);
      };
      const host = "Host networking requested, not supported by runtime";
      expect((await attempt(undefined)).stderr, name).toContain(host);
      expect((await attempt(`/proc/${String(process.pid)}/ns/net`)).stderr, name).toContain(host);
      expect((await attempt(`${pod}-gone`)).stderr, name).toContain("ENOENT");
      expect((await attempt("/etc/hostname")).stderr, name).toContain("/etc/hostname is no namespace");
      expect(await kata.ok(["list", "-q"]), name).toBe("");
    }
  });

  it("is refused for an interface of a kind that cannot be given to a VM, which is named", async () => {
    await using network = new TestNetwork();
    const pod = await network.namespace();
    await network.ip(pod, "link add br0 type bridge", "addr add 10.215.0.1/24 dev br0", "link set dev br0 up");
    await network.settled(pod, "br0");
    const before = await network.snapshot(pod);
    for (const [, open] of OURS) {
      await using kata = open();
      const bundle = await kata.bundle({
        args: ["true"],
        edit: (spec) => {
          inNamespace(spec, pod);
        },
      });
      const created = await kata.run(["create", "--bundle", bundle.path, kata.id()]);
      expect(created.stderr).toContain("Unsupported network interface: br0 (bridge)");
      expect(await network.snapshot(pod)).toBe(before);
    }
  });
});
