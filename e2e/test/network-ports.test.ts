import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { inNamespace } from "../harness/networked.ts";
import { startMember, startSandbox } from "../harness/pods.ts";

describe("the loopback of a pod's network namespace", () => {
  expectCleanHost();

  it.each(["its VM is deleted", "kata-proxy was killed"])("leads to the guest's, until %s", async (end) => {
    await using network = new TestNetwork();
    await using kata = new Kata();
    const namespace = await network.namespace();
    const rules = async (): Promise<string> => (await network.run(namespace, "iptables", "-t", "nat", "-S")).stdout;
    const get = (port: number) =>
      network.run(namespace, "busybox", "wget", "-qO-", `http://127.0.0.1:${String(port)}/passwd`);

    const sandbox = await startSandbox(kata, (spec) => {
      inNamespace(spec, namespace);
    });
    while (!(await rules()).includes("kata-ts"));
    const server = await startMember(kata, sandbox, ["httpd", "-f", "-p", "127.0.0.1:8000", "-h", "/etc"]);
    while ((await get(8000)).exitCode !== 0);
    expect((await get(8000)).stdout).toBe("root:x:0:0:root:/root:/bin/sh");
    // A port without a listener refuses.
    expect((await get(8001)).exitCode).toBe(1);

    if (end === "kata-proxy was killed") {
      const { vm } = JSON.parse(readFileSync(`${kata.root}/${sandbox}/kata.json`, "utf8")) as {
        vm: { processes: [{ pid: number }] };
      };
      process.kill(vm.processes[0].pid, "SIGKILL");
      await kata.until(sandbox, "stopped");
      expect(await rules()).toContain("kata-ts");
    }
    await kata.ok(["delete", "--force", server]);
    await kata.ok(["delete", "--force", sandbox]);
    expect(await rules()).not.toContain("kata-ts");
  });
});
