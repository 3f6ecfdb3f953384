import { chmod, copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { LAB_PORTS } from "./machine.ts";
import { mmdebstrap } from "./mmdebstrap.ts";
import { type HostSuite, packagesOf } from "./suites.ts";

export const ROOT_FILES: string = join(import.meta.dirname, "root");

/** Its initrd finds the disk, and no more: the machine is always the same. */
const INITRAMFS = [
  'mkdir -p "$1/etc/initramfs-tools/conf.d"',
  'printf "MODULES=list\\nCOMPRESS=zstd\\n" >"$1/etc/initramfs-tools/conf.d/lab"',
  'printf "virtio_pci\\nvirtio_blk\\next4\\n" >"$1/etc/initramfs-tools/modules"',
].join(" && ");

/** What tests start themselves, or what would change the host while they run. */
const DISABLED = [
  ...["docker.service", "docker.socket", "containerd.service", "podman.service", "podman.socket", "nftables.service"],
  ...["podman-auto-update.timer", "podman-restart.service", "apt-daily.timer", "apt-daily-upgrade.timer"],
  ...["e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer", "dpkg-db-backup.timer", "systemd-pstore.service"],
];
const MASKED = ["systemd-timesyncd.service", "systemd-networkd-wait-online.service", "getty@tty1.service"];

/** Makes the root file system of a host below `root`, out of the distribution's packages. */
export async function makeHostRoot(suite: HostSuite, root: string): Promise<void> {
  await mmdebstrap(suite, root, packagesOf(suite), ["--variant=minbase", `--essential-hook=${INITRAMFS}`]);
  await configure(root);
}

async function configure(root: string): Promise<void> {
  const units = join(root, "etc/systemd/system");
  await copyFile(join(ROOT_FILES, "lab-agent"), join(root, "usr/local/sbin/lab-agent"));
  await chmod(join(root, "usr/local/sbin/lab-agent"), 0o755);
  await copyFile(join(ROOT_FILES, "lab-agent@.service"), join(units, "lab-agent@.service"));
  await mkdir(join(units, "multi-user.target.wants"), { recursive: true });
  for (const port of LAB_PORTS) {
    await symlink("../lab-agent@.service", join(units, "multi-user.target.wants", `lab-agent@${port}.service`));
  }
  for (const unit of MASKED) await symlink("/dev/null", join(units, unit));
  await writeFile(join(root, "etc/fstab"), "/dev/vda / ext4 defaults,noatime 0 0\n");
  await writeFile(join(root, "etc/hostname"), "kata-lab\n");
  await writeFile(join(root, "etc/hosts"), "127.0.0.1 localhost kata-lab\n");
  await writeFile(join(root, "etc/modules-load.d/lab.conf"), "kvm_amd\nvhost_vsock\nvhost_net\ntun\nvfio-pci\n");
  for (const unit of DISABLED) await execa("chroot", [root, "systemctl", "disable", "-q", unit], { reject: false });
  for (const directory of ["var/cache/apt", "var/lib/apt/lists"]) {
    await execa("find", [join(root, directory), "-mindepth", "1", "-delete"]);
  }
}
