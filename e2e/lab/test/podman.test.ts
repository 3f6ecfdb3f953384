import { expect, it } from "vitest";
import { makeBoxImage } from "../box-image.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

const MIB = 1024 ** 2;

/** With a guest of 512 MiB, and as much for QEMU and its helpers. */
function memory(mebibytes: number): string {
  return String((mebibytes + 512 + 512) * MIB);
}

const PODMAN = `. lab
${makeBoxImage}
kata-runtime kata-engine podman --write
podman import --quiet --change 'ENV PATH=/bin' /root/box.tar localhost/box >/dev/null
# Its first call makes what stays: the storage's directories, a lock file, its own slice.
podman ps >/dev/null
# without UNIT: systemd has none of this name.
without() { [ "$(systemctl show --property LoadState --value "$1")" = not-found ]; }
`;

it("podman run with systemd's cgroups: streams, limits that outlast a reload, statistics, a port, a terminal, a stop, nothing left", async () => {
  const output = await host().ok(`${PODMAN}
is 'cgroups of podman' "$(podman info --format '{{.Host.CgroupManager}} {{.Host.CgroupsVersion}}')" 'systemd v2'
note
set +e
echo to-in | podman --runtime kata run --rm -i localhost/box sh -c 'cat; echo to-err >&2; exit 6' >/root/out 2>/root/err
is 'status of a run' $? 6
set -e
is 'streams' "$(cat /root/out)+$(cat /root/err)" 'to-in+to-err'
podman --runtime kata run --detach --name web --memory 128m --cpus 0.5 --pids-limit 100 --publish 127.0.0.1:8080:80 --volume /root/www:/www:ro \\
  localhost/box sh -c 'echo serves; exec httpd -f -p 80 -h /www' >/dev/null
id=$(podman inspect --format '{{.Id}}' web)
unit=libpod-$id.scope
place=/sys/fs/cgroup/machine.slice/$unit
limits() {
  is "systemd's memory" "$(systemctl show --property MemoryMax --value $unit)" "$1"
  is 'memory' "$(cat $place/memory.max)" "$1"
  is 'tasks' "$(cat $place/pids.max)" "$(systemctl show --property TasksMax --value $unit)"
  is 'quota' "$(cat $place/cpu.max)" '250000 100000'
}
systemctl status --no-pager $unit >/root/status
grep -q qemu-system /root/status
limits ${memory(128)}
systemctl daemon-reload
limits ${memory(128)}
logged() { [ "$(podman logs web)" = serves ]; }
await 60 logged
podman stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' web >/root/stats
grep -Eqx 'web [1-9][0-9]+ [0-9.]+MB / 1\\.208GB' /root/stats || { cat /root/stats; exit 1; }
is 'by the published port' "$(busybox wget -q -O - http://127.0.0.1:8080/data | md5sum)" "$(md5sum </root/www/data)"
set +e
podman exec web sh -c 'cat /sys/fs/cgroup/memory.max; exec dd if=/dev/zero of=/dev/null bs=400M count=1' >/root/limit 2>/dev/null
is 'status of an exec without memory' $? 137
set -e
is "the guest's memory" "$(cat /root/limit)" ${String(128 * MIB)}
is "processes that the host's kernel has ended" "$(grep '^oom_kill ' $place/memory.events)" 'oom_kill 0'
is 'a terminal' "$(on_terminal 'podman exec -it web stty size')" '33 44'
podman stop --time 1 web >/dev/null 2>&1
is 'status' "$(podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' web)" 'exited 137'
await 60 without $unit
podman start web >/dev/null
limits ${memory(128)}
podman rm --force --time 0 web >/dev/null
await 60 without $unit
# systemd keeps the slice that podman has its containers in, empty.
is 'in the slice' "$(find /sys/fs/cgroup/machine.slice -mindepth 1 -type d)" ''
systemctl stop machine.slice
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
