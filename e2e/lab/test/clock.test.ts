import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("a guest has the host's time, also after a pause, by kvm-clock; and entropy from the host's device", async () => {
  const output = await host().ok(`. lab
note
${bundle("clock", "exec sleep 1000")}
right() {
  earliest=$(date +%s)
  kata exec clock sh -c 'date +%s; cat /sys/devices/system/clocksource/clocksource0/current_clocksource /sys/devices/virtual/misc/hw_random/rng_current; od -An -tx1 -N16 /dev/urandom' >/root/looked
  latest=$(date +%s)
  now=$(head -n 1 /root/looked)
  tail -n 1 /root/looked >>/root/drawn
  [ "$now" -ge "$earliest" ] && [ "$now" -le "$latest" ] || { echo "$1: $now is not from $earliest to $latest"; exit 1; }
}
start clock
right 'after the start'
kata pause clock
sleep 5
kata resume clock
right 'after a pause'
sed -n 2,3p /root/looked
is 'different draws' "$(sort -u /root/drawn | wc -l)" 2
kata delete --force clock
nothing_left
echo done`);
  expect(output).toMatch(/^kvm-clock\nvirtio_rng\.0\ndone$/m);
});
