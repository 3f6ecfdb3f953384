import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ more: "[factory]\nenable_template = true" });

const DRAW =
  "cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid; od -An -tx1 -N16 /dev/urandom; grep -c ^processor /proc/cpuinfo";

it("clones of a template have the host's time by kvm-clock, secrets of their own, and grow", async () => {
  const output = await host().ok(`. lab
note
${bundle("one", "exec sleep 1000")}
${bundle("two", "exec sleep 1000", (spec) => {
  spec.linux.resources = { cpu: { quota: 200_000, period: 100_000 }, memory: { limit: 256 * 2 ** 20 } };
})}
kata factory init
kata factory status | grep '^vm factory is on'
start one
start two
is clones "$(grep -l memoryImage /run/kata-ts/vm/*/spec.json | wc -l)" 2
tr '\\0' ' ' </proc/$(pgrep -o qemu-system)/cmdline | grep -o 'accel kvm -cpu host '
for each in one two; do
  earliest=$(date +%s)
  kata exec $each sh -c 'date +%s; cat /sys/devices/system/clocksource/clocksource0/current_clocksource; ${DRAW}' >/root/$each.looked
  latest=$(date +%s)
  now=$(head -n 1 /root/$each.looked)
  [ "$now" -ge "$earliest" ] && [ "$now" -le "$latest" ] || { echo "$each: $now is not from $earliest to $latest"; exit 1; }
  is clock "$(sed -n 2p /root/$each.looked)" kvm-clock
done
is 'different draws' "$(sed -s -n 3,5p /root/one.looked /root/two.looked | sort -u | wc -l)" 6
is processors "$(tail -q -n 1 /root/one.looked /root/two.looked | tr '\\n' ' ')" '1 2 '
dd if=/dev/urandom of=/root/data bs=1M count=8 status=none
is '8 MiB in and out' "$(kata exec two cat </root/data | md5sum)" "$(md5sum </root/data)"
kata pause two
kata resume two
is 'status of exec' "$(status kata exec two sh -c 'exit 5')" 5
kata delete --force one
kata delete --force two
kata factory destroy
nothing_left
echo done`);
  expect(output).toMatch(/^accel kvm -cpu host $/m);
  expect(output).toMatch(/^done$/m);
});
