import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defaultQemuConfig, QemuVmm, VmmHypervisor } from "@kata-ts/virtcontainers";
import { detachingCompliance, hypervisorCompliance, vmmCompliance } from "@kata-ts/virtcontainers/testing";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { inNamespace } from "../harness/networked.ts";
import { DIST, SHARE } from "../harness/paths.ts";
import { IDLE, startMember, startSandbox } from "../harness/pods.ts";
import { vmmUnderTest } from "../harness/vmm-under-test.ts";

const CONFIG = '[hypervisor.qemu]\nmachine_type = "microvm"\n';
const MIB = 1024 ** 2;

const vmm = new QemuVmm({
  ...defaultQemuConfig,
  kernelPath: join(SHARE, "vmlinux"),
  imagePath: join(SHARE, "rootfs.ext4"),
  machine: { type: "microvm" },
});

/** The arguments of a container's QEMU. */
function arguments_(kata: Kata, id: string): string {
  const record = JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as { vm: { vmm: { pid: number } } };
  return readFileSync(`/proc/${String(record.vm.vmm.pid)}/cmdline`, "latin1").replaceAll("\0", " ");
}

describe("QEMU's microvm", () => {
  expectCleanHost();

  it.each(vmmCompliance(vmm.capabilities))("$rule", async ({ check }) => {
    await check(vmmUnderTest(vmm));
  });

  const growing = "grows by what is missing, and tells what the guest has to switch on";

  const rules = [...hypervisorCompliance, ...detachingCompliance].filter(({ rule }) => rule !== growing);

  it.each(rules)("$rule", async ({ check }) => {
    await check(new VmmHypervisor({ vmm, proxyPath: join(DIST, "libexec", "kata-ts", "kata-proxy") }));
  });
});

describe("a container in a microvm", () => {
  expectCleanHost();

  it("carries its streams to the last byte, and its status", async () => {
    await using kata = Kata.configured(CONFIG);
    const { path } = await kata.bundle({ args: ["sh", "-c", "cat; echo error >&2; exit 7"] });
    const input = randomBytes(1_000_003);
    const result = await kata.run(["run", "--bundle", path, kata.id()], { input });
    expect(result.stderr).toBe("error");
    expect(Buffer.compare(result.stdoutBytes, input)).toBe(0);
    expect(result.exitCode).toBe(7);
  });

  it("has its limits' memory and processors from the boot, runs commands, and is killed", async () => {
    await using kata = Kata.configured(CONFIG);
    const limits = { memory: { limit: 512 * MIB }, cpu: { quota: 200_000, period: 100_000 } };
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        spec.linux = { ...(spec.linux as object), resources: limits };
      },
    });
    expect(arguments_(kata, id)).toMatch(/ -machine microvm,.* -m 2560M /);
    expect(await kata.ok(["exec", id, "nproc"])).toBe("3");
    expect((await kata.run(["exec", id, "sh", "-c", "exit 5"])).exitCode).toBe(5);
    const refused = await kata.run(["update", "--memory", String(4096 * MIB), id]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("limits of 4096 MiB are more than the 2560 MiB of the VM");
    await kata.ok(["kill", id, "KILL"]);
    await kata.until(id, "stopped");
    await kata.ok(["delete", id]);
  });

  it("has the network of its namespace, and what is added to it later", async () => {
    await using network = new TestNetwork();
    const [pod, world] = [await network.namespace(), await network.namespace()];
    const veth = (name: string, subnet: string) =>
      network.veth(
        { namespace: pod, name, addresses: [`10.211.${subnet}.2/24`] },
        { namespace: world, name: `far-${name}`, addresses: [`10.211.${subnet}.1/24`] },
      );
    await veth("eth0", "0");
    await using kata = Kata.configured(CONFIG);
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        inNamespace(spec, pod);
      },
    });
    const ping = (address: string): Promise<string> => kata.ok(["exec", id, "ping", "-c", "2", address]);
    expect(await ping("10.211.0.1")).toContain(" 0% packet loss");
    await veth("eth1", "1");
    await kata.ok(["kata-network", "sync", id]);
    expect(await ping("10.211.1.1")).toContain(" 0% packet loss");
    await kata.ok(["delete", "--force", id]);
  });

  it("shares it with others of its pod, each with limits of its own", async () => {
    await using kata = Kata.configured(CONFIG);
    const sandbox = await startSandbox(kata);
    const member = await startMember(kata, sandbox, IDLE, (spec) => {
      spec.linux = { ...(spec.linux as object), resources: { memory: { limit: 64 * MIB } } };
    });
    expect(kata.vmDirectory(member)).toBe(kata.vmDirectory(sandbox));
    expect(await kata.ok(["exec", member, "cat", "/sys/fs/cgroup/memory.max"])).toBe(String(64 * MIB));
    await kata.ok(["delete", "--force", member]);
    await kata.ok(["delete", "--force", sandbox]);
  });

  it("is gone whole when its QEMU is killed", async () => {
    await using kata = Kata.configured(CONFIG);
    const id = await kata.start({ args: ["sleep", "1000"] });
    const record = JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as {
      vm: { vmm: { pid: number } };
    };
    process.kill(record.vm.vmm.pid, "SIGKILL");
    await expect.poll(async () => (await kata.state(id)).status).toBe("stopped");
    await kata.ok(["delete", id]);
  });
});
