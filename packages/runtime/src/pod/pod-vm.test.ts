import { identifyProcess } from "@kata-ts/linux";
import type { Vm } from "@kata-ts/virtcontainers";
import { expect, it } from "vitest";
import { PodVm } from "./pod-vm.ts";

it("says so where its monitor does not end, even by SIGKILL", async () => {
  // No process has this identity: the signal reaches none, and the end never comes.
  const vmm = { ...identifyProcess(process.pid), startTime: 0 };
  const vm = { state: { vmm, dir: "/none" }, ended: new Promise(() => undefined) } as unknown as Vm;
  const record = { vm: { agentUrl: "fake://none" } };
  const environment = { connectAgent: () => ({ getOOMEvent: () => new Promise(() => undefined) }) };
  const configuration = { network: { follow: false }, newNetworkNamespace: false };
  const created = { environment, record, configuration } as never;
  const listener = { onOom: () => undefined, onEnd: () => undefined };
  const pod = new PodVm("web" as never, created, { vm: () => vm } as never, listener);
  await expect(pod.kill(1)).rejects.toMatchObject({
    code: "KATA_STATE",
    message: `the VM of web does not end, even by SIGKILL of process ${String(vmm.pid)}`,
  });
});
