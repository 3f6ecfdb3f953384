import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("a container, and then its VM, that run out of memory are told as that; the scope goes with its VM", async () => {
  const output = await host().ok(`. lab
note
GLOBALS=--systemd-cgroup
${bundle("full", "exec sleep 1000", (spec) => {
  spec.linux.cgroupsPath = "katalab-oom.slice:cri:full";
  spec.linux.resources = { memory: { limit: 64 * 2 ** 20 } };
})}
unit=cri-full.scope
start full
kata events full >/root/events &
hog='dd if=/dev/zero of=/dev/null bs=100M count=1'
kata exec full sh -c "$hog" && exit 1
told() { is events "$(grep -c '"type":"oom"' /root/events)" "$1"; }
await 120 told 1
is 'state, after its own limit' "$(kata state full | grep -o running)" running
systemctl set-property --runtime $unit MemoryMax=64M
kata exec full sh -c 'dd if=/dev/zero of=/dev/shm/fill bs=1M count=50; true' || true
stopped() { kata state full | grep -q stopped; }
await 120 stopped
wait
await 120 told 2
kata delete full 2>&1
is loaded "$(systemctl show --property LoadState --value $unit)" not-found
systemctl stop katalab.slice
nothing_left
echo done`);
  expect(output).toContain("the host's kernel has ended the VM: the limit of memory of its cgroup was reached");
  expect(output).toMatch(/^done$/m);
});
