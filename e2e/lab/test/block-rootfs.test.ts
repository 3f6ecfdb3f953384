import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ hypervisor: 'accel = "kvm"\ndisable_block_device_use = false' });

it("a root file system on a block device is the guest's own disk, and has what was written when it comes back", async () => {
  const output = await host().ok(`. lab
${bundle("disk", "exec sleep 1000")}
note
mke2fs -q -t ext4 -d /root/disk/rootfs /root/disk.ext4 64m
rm -r /root/disk/rootfs
mkdir /root/disk/rootfs
device=$(losetup --find --show /root/disk.ext4)
mount $device /root/disk/rootfs
dd if=/dev/urandom of=/root/data bs=1M count=16 status=none
start disk
! mountpoint -q /root/disk/rootfs
kata exec disk sh -c 'cat >/written; sync' </root/data
is 'root of the container' "$(kata exec disk sed -n 's|^/dev/\\(vd\\)[a-z]* / \\(ext4\\) .*|\\1 \\2|p' /proc/mounts)" 'vd ext4'
kata delete --force disk
mount -o ro $device /root/disk/rootfs
is written "$(md5sum </root/disk/rootfs/written)" "$(md5sum </root/data)"
umount /root/disk/rootfs
losetup --detach $device
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
