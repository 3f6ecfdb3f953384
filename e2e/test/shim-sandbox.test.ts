import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeBundle } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { BareShim } from "../harness/engines/bare-shim.ts";
import { expectNoShims } from "../harness/engines/no-shims.ts";
import { ourProcesses } from "../harness/engines/shim-process.ts";
import { TestNetwork } from "../harness/network.ts";
import { memberAnnotations } from "../harness/pods.ts";

/** The file daemon has a process that waits for the one that serves. */
const ALL = ["containerd-shim-kata-v2", "qemu-system", "virtiofsd", "virtiofsd"];
const POD = { sandbox_id: "pod" };

describe("containerd's sandbox API", () => {
  expectCleanHost();
  expectNoShims();

  let directory = "";
  let sandbox = "";
  beforeEach(() => {
    directory = mkdtempSync("/tmp/e2e-sandbox-");
    sandbox = join(directory, "pod");
    mkdirSync(sandbox);
    writeFileSync(join(sandbox, "config.json"), "null");
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  /** A container that joins the sandbox, as containerd's CRI plugin describes it. @returns its bundle */
  async function member(id: string, pid: unknown, ...args: readonly string[]): Promise<string> {
    const edit = (spec: { annotations?: Record<string, string>; linux?: unknown }): void => {
      spec.annotations = memberAnnotations("pod");
      const { namespaces, ...linux } = spec.linux as { namespaces: { type: string }[] };
      const network = { type: "network", path: `/proc/${String(pid)}/ns/net` };
      spec.linux = { ...linux, namespaces: [...namespaces.filter(({ type }) => type !== "network"), network] };
    };
    return (await makeBundle(join(directory, id), { args, edit })).path;
  }

  it("is a VM without a container, in the pod's network, which containers join", async () => {
    await using network = new TestNetwork();
    const netns = await network.namespace();
    const started = await BareShim.start("pod", sandbox);
    expect(started.version).toBe(2);
    using shim = BareShim.connect(started);
    await shim.sandbox("CreateSandbox", { ...POD, bundle_path: sandbox, netns_path: netns });
    const { pid } = await shim.sandbox("StartSandbox", POD);
    expect(ourProcesses()).toEqual(ALL);
    expect(await shim.sandbox("SandboxStatus", POD)).toMatchObject({ pid, state: "SANDBOX_READY" });
    const inode = (path: string) => readlinkSync(path);
    expect(inode(`/proc/${String(pid)}/ns/net`)).not.toBe(inode("/proc/self/ns/net"));

    for (const [id, words] of [
      ["one", "first"],
      ["two", "second"],
    ] as const) {
      const bundle = await member(id, pid, "sh", "-c", `echo ${words}; exit 7`);
      expect(await BareShim.start(id, bundle)).toEqual(started);
      const output = join(directory, `${id}.log`);
      await shim.task("Create", { id, bundle, stdout: `file://${output}`, stderr: `file://${output}` });
      await shim.task("Start", { id });
      expect(await shim.task("Wait", { id })).toMatchObject({ exit_status: 7 });
      await shim.task("Delete", { id });
      // As after each container: it does not end what is the sandbox's.
      await shim.task("Shutdown", { id }, false);
      expect(readFileSync(output, "utf8")).toBe(`${words}\n`);
    }
    expect(ourProcesses()).toEqual(ALL);

    const waited = shim.sandbox("WaitSandbox", POD);
    await shim.sandbox("StopSandbox", POD);
    expect(await waited).toMatchObject({ exit_status: 0 });
    expect(ourProcesses()).toEqual(["containerd-shim-kata-v2"]);
    expect(await shim.sandbox("SandboxStatus", POD)).toMatchObject({ state: "SANDBOX_NOTREADY" });
    await shim.sandbox("ShutdownSandbox", POD);
  });

  it("leaves nothing of a killed shim and its containers, once containerd has called it to delete the sandbox", async () => {
    await using network = new TestNetwork();
    const netns = await network.namespace();
    const started = await BareShim.start("pod", sandbox);
    using shim = BareShim.connect(started);
    await shim.sandbox("CreateSandbox", { ...POD, bundle_path: sandbox, netns_path: netns });
    const { pid } = await shim.sandbox("StartSandbox", POD);
    const bundle = await member("one", pid, "sleep", "1000");
    await shim.task("Create", { id: "one", bundle });
    await shim.task("Start", { id: "one" });
    const waited = shim.task("Wait", { id: "one" });
    process.kill(Number(readFileSync(join(sandbox, "shim.pid"), "utf8")), "SIGKILL");
    await expect(waited).rejects.toThrow();
    await BareShim.remove("pod", sandbox);
    expect(ourProcesses()).toEqual([]);
  });
});
