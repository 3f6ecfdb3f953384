#!/bin/sh
# enter.sh ROOT COMMAND…: process 1 of a new pid namespace, in new mount and cgroup namespaces. Makes ROOT the root of this
# mount namespace, with file systems of its own, and runs COMMAND there. All of it goes with this process.
set -eu
root=$1
shift
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
mount -t tmpfs -o size=4g,mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/lock

# The cgroup hierarchies of this machine, each rooted in the cgroup that this process was put into.
umount -R sys/fs/cgroup 2>/dev/null || true
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  while IFS=: read -r _ hierarchy _; do
    case $hierarchy in
      "") name=unified type=cgroup2 options=rw ;;
      name=*) name=${hierarchy#name=} type=cgroup options=none,$hierarchy ;;
      *) name=$hierarchy type=cgroup options=$hierarchy ;;
    esac
    mkdir -p "sys/fs/cgroup/$name"
    mount -t "$type" -o "$options" "$type" "sys/fs/cgroup/$name"
  done </proc/self/cgroup
fi

for directory in $HOST_SHARED; do
  mkdir -p ".$directory"
  mount --bind "$HOST_SHARED_FROM$directory" ".$directory"
done

# Each as FROM:TO.
for pair in ${HOST_MOUNTS:-}; do
  mkdir -p ".${pair#*:}"
  mount --bind "${pair%%:*}" ".${pair#*:}"
done

mkdir -p mnt/old
pivot_root . mnt/old
cd /
umount -l /mnt/old
# A service manager makes all mounts of a host shared, which engines count on.
mount --make-rshared /
child=
trap 'kill -TERM "$child" 2>/dev/null || true' TERM INT
"$@" &
child=$!
status=0
wait "$child" || status=$?
exit "$status"
