import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { inPodNetwork, makePodNetwork, POD_NETWORK } from "../pod-network.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("frames pass both ways by vhost-net, whose thread QEMU has, and the network is given back", async () => {
  const output = await host().ok(`. lab
note
${makePodNetwork}
# An address that was looked for meanwhile is the same address.
addresses() { ip -n pod -o addr | sed 's/ tentative//'; }
addresses >/root/addresses
${bundle("net", "exec httpd -f -p 8080 -h /files", inPodNetwork)}
mkdir /root/net/rootfs/files /root/www
dd if=/dev/urandom of=/root/www/data bs=1M count=8 status=none
dd if=/dev/urandom of=/root/net/rootfs/files/data bs=1M count=8 status=none
start net
busybox httpd -p ${POD_NETWORK.host}:8000 -h /root/www
is 'into the guest' "$(kata exec net sh -c 'wget -q -O - http://${POD_NETWORK.host}:8000/data | md5sum')" "$(md5sum </root/www/data)"
is 'out of the guest' "$(busybox wget -q -O - http://${POD_NETWORK.pod}:8080/data | md5sum)" "$(md5sum </root/net/rootfs/files/data)"
qemu=$(pgrep -o qemu-system)
ls -l /proc/$qemu/fd | grep -q /dev/vhost-net
ps -eLo comm | grep -qx "vhost-$qemu"
kata delete --force net
is addresses "$(addresses)" "$(cat /root/addresses)"
pkill -f 'busybox httpd'
ip netns del pod
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
