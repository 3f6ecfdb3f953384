import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, type ProcessIdentity, processEnd } from "@kata-ts/linux";
import { cleanUp, findInstallation } from "@kata-ts/runtime";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { inNamespace } from "../harness/networked.ts";
import { DIST } from "../harness/paths.ts";
import { PodOwner } from "../harness/pod-owner.ts";
import { IDLE, memberAnnotations } from "../harness/pods.ts";

const MIB = 1024 ** 2;

interface RecordedVm {
  readonly vmm: ProcessIdentity;
  readonly processes: readonly ProcessIdentity[];
}

function recordedVm(kata: Kata, id: string): RecordedVm {
  return (JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as { readonly vm: RecordedVm }).vm;
}

describe("a pod that belongs to a process", () => {
  expectCleanHost();

  /** A pod of two containers. The second one waits for a line, and ends with 7. */
  async function bundles(
    kata: Kata,
  ): Promise<{ readonly sandbox: string; readonly member: string; paths: Record<string, string> }> {
    const [sandbox, member] = [kata.id(), kata.id()];
    const first = await kata.bundle({
      args: IDLE,
      edit: (spec: EditableSpec) => {
        spec.annotations = { "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": sandbox };
        spec.hostname = "podhost";
        (spec.linux as Record<string, unknown>).cgroupsPath = `/${sandbox}`;
      },
    });
    const second = await kata.bundle({
      args: ["sh", "-c", "hostname; echo wrong >&2; trap 'exit 7' TERM; sleep 1000 & wait"],
      edit: (spec: EditableSpec) => {
        spec.annotations = memberAnnotations(sandbox);
        delete spec.hostname;
      },
    });
    return { sandbox, member, paths: { [sandbox]: first.path, [member]: second.path } };
  }

  it("has two containers, no process on the host but the VM's, and records as any other", async () => {
    await using kata = new Kata();
    const { sandbox, member, paths } = await bundles(kata);
    await using owner = await PodOwner.start(kata, paths);
    for (const id of [sandbox, member]) await owner.do("start", id);
    const children = (await owner.do("children")) as readonly string[];
    expect(children).toHaveLength(2);
    expect(children).toEqual(
      expect.arrayContaining([/qemu-system/, /virtiofsd/].map((each) => expect.stringMatching(each) as string)),
    );
    expect(await owner.do("cgroup")).toMatch(new RegExp(`:/${sandbox}$`, "m"));

    // Other programs see them, and can work on them.
    expect(await kata.state(member)).toMatchObject({ status: "running", pid: owner.pid });
    expect(await kata.ok(["exec", member, "hostname"])).toBe("podhost");
    expect(await kata.ok(["gc"])).toBe("");

    expect(await owner.do("exec", member, { args: ["cat"], input: "to and fro" })).toEqual({
      out: "to and fro",
      err: "",
      status: 0,
    });
    expect(await owner.do("exec", member, { args: ["sh", "-c", "echo no >&2; exit 3"] })).toEqual({
      out: "",
      err: "no\n",
      status: 3,
    });
    const twenty = (await owner.do("twenty execs", sandbox)) as readonly object[];
    expect(twenty).toEqual(Array.from({ length: 20 }, (_, n) => ({ out: `${String(n)}\n`, err: "", status: 0 })));
    await expect(owner.do("exec", member, { args: ["nonexistent"] })).rejects.toThrow("nonexistent");

    await owner.do("update", member, { memory: 64 * MIB });
    expect(Number(await owner.do("stats", member))).toBe(64 * MIB);
    expect(await owner.do("processes", member)).toMatch(/sleep 1000/);
    await owner.do("pause", member);
    expect((await kata.state(member)).status).toBe("paused");
    await owner.do("resume", member);

    await owner.do("signal", member, { signal: 15 });
    expect(await owner.do("result", member)).toEqual({ out: "podhost\n", err: "wrong\n", status: 7 });
    expect((await kata.state(member)).status).toBe("stopped");
    expect(await owner.do("status", sandbox)).toBe("running");
    await owner.do("delete", member);
    expect(await kata.ok(["list", "-q"])).toBe(sandbox);
    await owner.do("close");
    expect(await kata.ok(["list", "-q"])).toBe("");
    const { events, warnings } = (await owner.do("events")) as { events: unknown[]; warnings: unknown[] };
    expect(warnings).toEqual([]);
    expect(events).toContainEqual({ exit: member, status: 7 });
    expect(events).toContain("end");
  });

  it("is taken back with its process by kill -9: nothing runs, and clean-up leaves nothing", async () => {
    await using kata = new Kata();
    const { sandbox, member, paths } = await bundles(kata);
    await using owner = await PodOwner.start(kata, paths);
    for (const id of [sandbox, member]) await owner.do("start", id);
    const vm = recordedVm(kata, sandbox);
    await owner.kill();
    expect((await kata.state(sandbox)).status).toBe("stopped");
    expect((await kata.state(member)).status).toBe("stopped");
    const none = (): void => undefined;
    const log = { debug: none, warning: none, enableDebug: none, about: none, alsoTo: none };
    const options = { root: kata.root, installation: findInstallation(join(DIST, "libexec", "kata-ts")), log };
    for (const id of [member, sandbox, member]) await cleanUp(id, options);
    expect(isAlive(vm.vmm)).toBe(false);
    expect(await kata.ok(["list", "-q"])).toBe("");
  });

  it("is garbage once its process was killed", async () => {
    await using kata = new Kata();
    const { sandbox, paths } = await bundles(kata);
    await using owner = await PodOwner.start(kata, { [sandbox]: paths[sandbox] ?? "" });
    await owner.do("start", sandbox);
    const { processes } = recordedVm(kata, sandbox);
    await owner.kill();
    // The kernel ends them once their parent is dead.
    const signal = AbortSignal.timeout(10_000);
    await Promise.all(processes.map((each) => processEnd(each, signal)));
    expect(await kata.ok(["gc"])).toContain(`removed container ${sandbox}: its VM is dead`);
  });

  it("has its network, which is followed, and whose loopback leads to the guest's", async () => {
    await using network = new TestNetwork();
    await using kata = new Kata();
    const namespace = await network.namespace();
    const id = kata.id();
    const { path } = await kata.bundle({
      args: ["httpd", "-f", "-p", "127.0.0.1:8000", "-h", "/etc"],
      edit: (spec) => {
        spec.annotations = { "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": id };
        inNamespace(spec, namespace);
      },
    });
    const rules = async (): Promise<string> => (await network.run(namespace, "iptables", "-t", "nat", "-S")).stdout;
    const get = () => network.run(namespace, "busybox", "wget", "-qO-", "http://127.0.0.1:8000/passwd");
    {
      await using owner = await PodOwner.start(kata, { [id]: path });
      await owner.do("start", id);
      while ((await get()).exitCode !== 0);
      expect((await get()).stdout).toBe("root:x:0:0:root:/root:/bin/sh");
      await network.run(namespace, "ip", "link", "add", "late0", "type", "veth", "peer", "name", "late1");
      await network.run(namespace, "ip", "address", "add", "10.9.8.7/24", "dev", "late0");
      await network.run(namespace, "ip", "link", "set", "late0", "up");
      const addresses = async (): Promise<string> =>
        JSON.stringify(await owner.do("exec", id, { args: ["ip", "address"] }));
      while (!(await addresses()).includes("10.9.8.7"));
      await owner.do("close");
      expect(await rules()).not.toContain("kata-ts");
    }
  });

  it("asks its engine's resolver, which answers in its network namespace alone", async () => {
    await using network = new TestNetwork();
    await using kata = new Kata();
    const namespace = await network.namespace();
    const resolvConf = kata.file("resolv.conf", "nameserver 127.0.0.11\n");
    const id = kata.id();
    const { path } = await kata.bundle({
      args: IDLE,
      edit: (spec) => {
        inNamespace(spec, namespace);
        spec.mounts.push({ destination: "/etc/resolv.conf", type: "bind", source: resolvConf, options: ["rbind"] });
      },
    });
    await network.serve(namespace, "resolver", "127.0.0.11");
    await using owner = await PodOwner.start(kata, { [id]: path });
    await owner.do("start", id);
    const asked = await owner.do("exec", id, { args: ["nslookup", "-type=a", "service.test"] });
    expect(asked).toMatchObject({ out: expect.stringContaining("192.0.2.53") as string, status: 0 });
    await owner.do("close");
  });

  it("may be deleted by kata-runtime, and its process goes on", async () => {
    await using kata = new Kata();
    const { sandbox, member, paths } = await bundles(kata);
    await using owner = await PodOwner.start(kata, paths);
    for (const id of [sandbox, member]) await owner.do("start", id);
    await owner.do("first words", member);
    await kata.ok(["delete", "--force", member]);
    expect(await owner.do("result", member)).toMatchObject({ out: "podhost\n", status: 137 });
    expect(await owner.do("exec", sandbox, { args: ["true"] })).toMatchObject({ status: 0 });
    await kata.ok(["delete", "--force", sandbox]);
    expect(await owner.do("result", sandbox)).toMatchObject({ status: 255 });
    await owner.do("close");
  });
});
