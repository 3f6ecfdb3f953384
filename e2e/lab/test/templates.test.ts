import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { RIGHT } from "../looked-at.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ more: "[factory]\nenable_template = true" });

it("VMs are cloned from a template: each with secrets of its own and the host's time, and they grow", async () => {
  const output = await host().ok(`. lab
${RIGHT}
note
kata factory init
kata factory status | grep -q 'vm factory is on'
${bundle("first", "exec sleep 1000")}
${bundle("second", "exec sleep 1000")}
start first
start second
is clones "$(grep -l memoryImage /run/kata-ts/vm/*/spec.json | wc -l)" 2
right first
right second
is 'different draws' "$(sort -u /root/drawn | wc -l)" 4
rm /root/drawn
is clock "$(kata exec first cat /sys/devices/system/clocksource/clocksource0/current_clocksource)" kvm-clock
dd if=/dev/urandom of=/root/data bs=1M count=32 status=none
is '32 MiB in and out' "$(kata exec second cat </root/data | md5sum)" "$(md5sum </root/data)"
before=$(kata exec first sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
kata update --memory 384m --cpu-quota 200000 --cpu-period 100000 first
after=$(kata exec first sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
[ $((after - before)) -ge $((370 * 1024)) ] || { echo "memory grew from $before to $after KiB"; exit 1; }
is processors "$(kata exec first grep -c ^processor /proc/cpuinfo)" 2
kata pause second
sleep 3
kata resume second
right second
kata delete --force first
kata delete --force second
kata factory destroy
nothing_left
rm -r /root/first /root/second /root/drawn
echo done`);
  expect(output).toMatch(/^done$/m);
});
