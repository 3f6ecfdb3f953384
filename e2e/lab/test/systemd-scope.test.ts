import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

const MIB = 1024 ** 2;

function limited(spec: LabSpec): void {
  spec.linux.cgroupsPath = "katalab-a.slice:cri:scoped";
  spec.linux.resources = { memory: { limit: 64 * MIB }, cpu: { shares: 512 }, pids: { limit: 20 } };
}

/** With a guest of 512 MiB, and as much for QEMU and its helpers. */
function memory(mebibytes: number): string {
  return String((mebibytes + 512 + 512) * MIB);
}

it("a scope of systemd's has the limits, which outlast a reload in the middle and follow an update; nothing is left in its slice", async () => {
  const output = await host().ok(`. lab
note
GLOBALS=--systemd-cgroup
${bundle("scoped", "exec sleep 1000", limited)}
unit=cri-scoped.scope
place=/sys/fs/cgroup/katalab.slice/katalab-a.slice/$unit
# limits MEMORY TASKS: as systemd has them, and as the kernel has them.
limits() {
  is "systemd's memory" "$(systemctl show --property MemoryMax --value $unit)" "$1"
  is "systemd's tasks" "$(systemctl show --property TasksMax --value $unit)" "$2"
  is 'memory' "$(cat $place/memory.max)" "$1"
  is 'tasks' "$(cat $place/pids.max)" "$2"
  is 'weight' "$(cat $place/cpu.weight)" "$(systemctl show --property CPUWeight --value $unit)"
}
start scoped
limits ${memory(64)} 1344
is delegated "$(systemctl show --property Delegate --value $unit)" yes
systemctl status --no-pager $unit >/root/status
grep -q 'Active: active (running)' /root/status
grep -q qemu-system /root/status
systemd-cgls --no-pager --unit $unit | grep -q qemu-system
systemctl daemon-reload
limits ${memory(64)} 1344
kata update --memory 128m --pids-limit 30 scoped
limits ${memory(128)} 1504
is "the guest's memory" "$(kata exec scoped cat /sys/fs/cgroup/memory.max)" ${String(128 * MIB)}
systemctl daemon-reload
systemd-run --quiet --wait --slice=katalab-a.slice true
limits ${memory(128)} 1504
systemctl daemon-reexec
limits ${memory(128)} 1504
kata delete --force scoped
is loaded "$(systemctl show --property LoadState --value $unit)" not-found
# systemd keeps slices that it has made, also for its own scopes: empty ones.
is 'in the slice' "$(find /sys/fs/cgroup/katalab.slice/katalab-a.slice -mindepth 1 -type d)" ''
systemctl stop katalab.slice
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
