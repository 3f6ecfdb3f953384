import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

const MIB = 1024 ** 2;

function limited(spec: LabSpec): void {
  spec.linux.cgroupsPath = "katahungry.slice:cri:hungry";
  spec.linux.resources = { memory: { limit: 128 * MIB } };
}

it("want of memory is named as such, by the guest for its container, by the host for the VM's cgroup; nothing is left", async () => {
  const output = await host().ok(`. lab
note
GLOBALS=--systemd-cgroup
${bundle("hungry", "exec sleep 1000", limited)}
start hungry
unit=cri-hungry.scope
kata events --interval 1h hungry >/root/events &
events=$!
await 60 grep -q '"stats"' /root/events
set +e; kata exec hungry dd if=/dev/zero of=/dev/null bs=300M count=1 2>/root/dd; is 'status of an exec without memory' $? 137; set -e
oom() { [ "$(grep -c '"type":"oom"' /root/events)" -ge "$1" ]; }
await 60 oom 1
is 'the container' "$(kata exec hungry echo goes on)" 'goes on'
is 'killed by the host until then' "$(grep '^oom_kill ' /sys/fs/cgroup/katahungry.slice/$unit/memory.events)" 'oom_kill 0'
# From now on the VM has next to no room on the host.
used=$(cat /sys/fs/cgroup/katahungry.slice/$unit/memory.current)
systemctl set-property --runtime $unit MemoryMax=$((used + 8 * ${String(MIB)}))
kata debug hungry sh -c 'tail /dev/zero' >/root/debug 2>&1 || true
stopped() { kata state hungry | grep -q '"stopped"'; }
await 120 stopped
wait $events
oom 2 || { echo 'the end of the VM was not told as want of memory'; cat /root/events /run/kata-ts/vm/*/exit.json; exit 1; }
is "VM" "$(pgrep -c qemu-system || true)" 0
kata delete hungry
systemctl stop katahungry.slice
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
