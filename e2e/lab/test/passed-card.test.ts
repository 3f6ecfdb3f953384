import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { inPodNetwork } from "../pod-network.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

/** Of QEMU's user network, which the host's card is in. */
const CARD = { address: "10.0.2.15/24", gateway: "10.0.2.2" };

function withCard(spec: LabSpec): void {
  inPodNetwork(spec);
  const raw = ["CAP_NET_RAW"]; // for ping
  spec.process.capabilities = { bounding: raw, effective: raw, permitted: raw };
}

it("a network card is passed on by VFIO: the guest drives it, and its namespace gets it back as it was", async () => {
  const output = await host().ok(`. lab
pci=$(basename $(readlink -f /sys/class/net/eth0/device))
mac=$(cat /sys/class/net/eth0/address)
driver() { basename $(readlink /sys/bus/pci/devices/$pci/driver); }
is 'driver of the host' "$(driver)" e1000e
ip netns add pod
ip link set eth0 netns pod
ip -n pod link set lo up
ip -n pod addr add ${CARD.address} dev eth0
ip -n pod link set eth0 up
note
${bundle("card", "exec sleep 1000", withCard)}
start card
is 'driver meanwhile' "$(driver)" vfio-pci
kata exec card sh -c 'cat /sys/class/net/eth0/address; ip -o -4 addr show eth0; ls -l /sys/class/net/eth0/device/driver' >/root/seen
is 'address of the card' "$(head -n 1 /root/seen)" "$mac"
grep -q ' ${CARD.address} ' /root/seen
grep -q /e1000e /root/seen
kata exec card ping -c 1 -w 30 ${CARD.gateway}
kata delete --force card
is 'driver at the end' "$(driver)" e1000e
is 'address at the end' "$(ip -n pod -o -4 addr show eth0 | grep -o ' ${CARD.address} ')" ' ${CARD.address} '
is 'card at the end' "$(ip -n pod -o link show eth0 up | grep -o $mac)" "$mac"
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
