import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ hypervisor: 'accel = "kvm"\nshared_fs = "none"\ndisable_block_device_use = false' });

/**
 * Words for the shell. `on_disk NAME`: the root file system of the bundle /root/NAME is that of a loop
 * device from now on. `off_disk NAME`: the device is given back.
 */
const WORDS = `
on_disk() {
  mke2fs -q -t ext4 -d "/root/$1/rootfs" "/root/$1.ext4" 64m
  losetup --find --show "/root/$1.ext4" >"/root/$1.device"
  rm -r "/root/$1/rootfs"
  mkdir "/root/$1/rootfs"
  mount "$(cat "/root/$1.device")" "/root/$1/rootfs"
}
off_disk() {
  ! mountpoint -q "/root/$1/rootfs" || umount "/root/$1/rootfs"
  losetup --detach "$(cat "/root/$1.device")"
}
`;

/** Stands for the number of the loop device that is the volume: it is known when the host has made it. */
const MINOR = 987_654;

function withVolume(spec: LabSpec): void {
  const device = { type: "b", major: 7, minor: MINOR };
  spec.linux.devices = [{ ...device, path: "/dev/volume", fileMode: 0o660, uid: 0, gid: 0 }];
  spec.linux.resources = { devices: [{ ...device, allow: true, access: "rwm" }] };
}

it("a volume on a block device is the guest's, and what it writes there is the host's afterwards", async () => {
  const output = await host().ok(`. lab
${WORDS}
note
truncate --size 16M /root/volume.img
volume=$(losetup --find --show /root/volume.img)
dd if=/dev/urandom of=$volume bs=1M count=8 status=none
${bundle("volume", "exec sleep 1000", withVolume)}
sed -i "s/${String(MINOR)}/\${volume#/dev/loop}/g" /root/volume/config.json
on_disk volume
start volume
is 'read by the guest' "$(kata exec volume sh -c 'head -c 8388608 /dev/volume | md5sum')" "$(head -c 8M $volume | md5sum)"
kata exec volume sh -c 'dd if=/dev/urandom of=/dev/volume bs=1M count=8 seek=8 2>/dev/null; dd if=/dev/volume bs=1M skip=8 2>/dev/null | md5sum' >/root/written
kata delete --force volume
is 'written by the guest' "$(dd if=$volume bs=1M skip=8 iflag=direct status=none | md5sum)" "$(cat /root/written)"
off_disk volume
losetup --detach $volume
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
