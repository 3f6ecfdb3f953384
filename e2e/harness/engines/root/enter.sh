#!/bin/sh
# enter.sh [BASE DIRECTORY ROOT…]: makes the mount namespace that engines live in, says "ready" and keeps it. With BASE, a root
# file system of another release, its files are all that is seen, but for what engines, tests and the machine share:
# processes, devices, /run, /tmp, and the ROOTs of the project. What is written beside that goes to DIRECTORY.
set -eu

enter_root() {
  base=$1 directory=$2
  shift 2
  root=$directory/root
  mkdir -p "$root" "$directory/upper" "$directory/work"
  mount -t overlay -o "lowerdir=$base,upperdir=$directory/upper,workdir=$directory/work" overlay "$root"
  for shared in /proc /sys /dev /run /tmp "$@"; do
    mkdir -p "$root$shared"
    mount --rbind "$shared" "$root$shared"
  done
  mkdir -p "$root/host" "$root/mnt/old"
  mount --bind / "$root/host"
  cd "$root"
  pivot_root . mnt/old
  cd /
  umount -l /mnt/old
}

# Where some of cgroup v1's controllers are not mounted, podman makes plain directories in their place and stumbles over
# them later. Here /sys/fs/cgroup holds what is mounted and takes nothing else.
hide_missing_controllers() {
  [ ! -e /sys/fs/cgroup/cgroup.controllers ] && mountpoint -q /sys/fs/cgroup || return 0
  view=$(mktemp -d)
  mount -t tmpfs view "$view"
  cd /sys/fs/cgroup
  for name in *; do
    mountpoint -q "$name" || continue
    mkdir "$view/$name"
    mount --bind "$name" "$view/$name"
  done
  mount -o remount,ro,bind "$view"
  cd /
  umount -l /sys/fs/cgroup
  mount --move "$view" /sys/fs/cgroup
  rmdir "$view"
}

[ $# -eq 0 ] || enter_root "$@"
hide_missing_controllers
echo ready
exec sleep infinity
