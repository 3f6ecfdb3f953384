import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { inPodNetwork } from "../pod-network.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("a network card is passed on by VFIO: the guest's driver has it, frames pass, and its namespace gets it back", async () => {
  const output = await host().ok(`. lab
card=$(basename $(readlink /sys/class/net/eth0/device))
driver() { basename "$(readlink /sys/bus/pci/devices/$card/driver)"; }
is "the host's driver" "$(driver)" e1000e
ip link set eth0 down
note
ip netns add pod
ip link set eth0 netns pod
ip -n pod link set lo up
ip -n pod addr add 10.0.2.15/24 dev eth0
ip -n pod link set eth0 up
# An address that was looked for meanwhile is the same address.
addresses() { ip -n pod -o addr | sed 's/ tentative//; s/^[0-9]*: //' | sort; }
linked() { ip netns exec pod cat /sys/class/net/eth0/carrier 2>/dev/null | grep -qx 1; }
await 60 linked
await 60 eval 'ip -n pod -o addr | grep -q fe80'
await 60 eval '! ip -n pod -o addr | grep -q tentative'
addresses >/root/addresses
${bundle("card", "exec sleep 1000", (spec) => {
  inPodNetwork(spec);
  const rights = ["CAP_NET_RAW"];
  spec.process.capabilities = { bounding: rights, effective: rights, permitted: rights };
})}
start card
is "the host's driver meanwhile" "$(driver)" vfio-pci
is "the guest's driver" "$(basename "$(kata exec card ls -l /sys/class/net/eth0/device/driver | sed 's/.*-> //')")" e1000e
is "the guest's address" "$(kata exec card ip -o -4 addr show eth0 | grep -o 'inet [0-9./]*')" 'inet 10.0.2.15/24'
kata exec card ping -c 3 -W 30 -s 1400 10.0.2.2
kata delete --force card
is 'driver' "$(driver)" e1000e
await 60 linked
returned() { [ "$(addresses)" = "$(cat /root/addresses)" ]; }
await 60 returned || { addresses | diff /root/addresses -; exit 1; }
ip netns del pod
await 60 test -e /sys/class/net/eth0
ip link set eth0 down
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
