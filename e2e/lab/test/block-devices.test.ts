import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ hypervisor: 'accel = "kvm"\ndisable_block_device_use = false' });

/** /dev/data is a block device of the host, whose minor number takes the place of 987654. */
function withDevice(spec: LabSpec): void {
  spec.linux.devices = [{ path: "/dev/data", type: "b", major: 7, minor: 987654, fileMode: 0o600, uid: 0, gid: 0 }];
  spec.linux.resources = { devices: [{ allow: true, type: "b", major: 7, minor: 987654, access: "rwm" }] };
}

it("a root file system and a volume that are block devices: disks of the guest, whose content is the host's afterwards", async () => {
  const output = await host().ok(`. lab
modprobe loop
note
${bundle("disks", "exec sleep 1000", withDevice)}
mke2fs -q -t ext4 -d /root/disks/rootfs /root/root.img 64M
rm -r /root/disks/rootfs/bin
truncate -s 16M /root/volume.img
root=$(losetup --find --show /root/root.img)
volume=$(losetup --find --show /root/volume.img)
sed -i "s/987654/\${volume#/dev/loop}/g" /root/disks/config.json
mount $root /root/disks/rootfs
dd if=/dev/urandom of=/root/data bs=1M count=8 status=none
start disks
is "the host's mount" "$(findmnt --noheadings /root/disks/rootfs || true)" ''
is root "$(kata exec disks sed -n 's/^\\(\\S*\\) \\/ \\(\\S*\\) .*/\\1 \\2/p' /proc/mounts | tr -dc 'a-z0-9/ ')" '/dev/vda ext4'
kata exec disks sh -c 'dd of=/dev/data bs=1M && cat /dev/data | head -c 8388608 | md5sum' </root/data >/root/sum 2>/dev/null
is 'read in the guest' "$(cat /root/sum)" "$(md5sum </root/data)"
kata exec disks sh -c 'dd of=/file bs=1M' </root/data 2>/dev/null
kata delete --force disks
is 'on the volume' "$(head -c 8388608 $volume | md5sum)" "$(md5sum </root/data)"
mount -o ro $root /root/disks/rootfs
is 'in the root file system' "$(md5sum </root/disks/rootfs/file)" "$(md5sum </root/data)"
umount /root/disks/rootfs
losetup --detach $root $volume
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
