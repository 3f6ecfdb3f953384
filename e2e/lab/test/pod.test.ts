import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { inPodNetwork, makePodNetwork } from "../pod-network.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

const CRI = "io.kubernetes.cri";

it("two containers of a pod live in one VM with its network, which ends with the last of them", async () => {
  const output = await host().ok(`. lab
note
${makePodNetwork}
${bundle("pod-a", "exec httpd -f -p 127.0.0.1:8080 -h /files", (spec) => {
  inPodNetwork(spec);
  spec.annotations = { [`${CRI}.container-type`]: "sandbox", [`${CRI}.sandbox-id`]: "pod-a" };
})}
${bundle("pod-b", "exec sleep 1000", (spec) => {
  inPodNetwork(spec);
  spec.annotations = { [`${CRI}.container-type`]: "container", [`${CRI}.sandbox-id`]: "pod-a" };
  spec.linux.resources = { memory: { limit: 64 * 2 ** 20 } };
})}
mkdir /root/pod-a/rootfs/files
echo served >/root/pod-a/rootfs/files/page
start pod-a
start pod-b
is VMs "$(pgrep -c qemu-system)" 1
is 'what the one serves to the other' "$(kata exec pod-b wget -q -O - http://127.0.0.1:8080/page)" served
is files "$(kata exec pod-b ls /files 2>/dev/null)" ''
is names "$(kata exec pod-a uname -n)" "$(kata exec pod-b uname -n)"
is limit "$(kata exec pod-b cat /sys/fs/cgroup/memory.max)" ${String(64 * 2 ** 20)}
kata delete --force pod-a
is 'VMs, without the first' "$(pgrep -c qemu-system)" 1
is 'status of exec' "$(status kata exec pod-b sh -c 'exit 5')" 5
kata delete --force pod-b
ip netns del pod
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
