import { expect, it } from "vitest";
import { makeBoxImage } from "../box-image.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

const MIB = 1024 ** 2;

/** With a guest of 512 MiB, and as much for QEMU and its helpers. */
function memory(mebibytes: number): string {
  return String((mebibytes + 512 + 512) * MIB);
}

const DOCKER = `. lab
kata-runtime kata-engine docker --write
systemctl start docker
${makeBoxImage}
docker import -c 'ENV PATH=/bin' /root/box.tar box >/dev/null
note
`;

it("docker run with systemd's cgroups: streams, limits that outlast a reload, statistics, logs, a port, want of memory, a stop and a start, nothing left", async () => {
  const output = await host().ok(`${DOCKER}
is 'cgroups of dockerd' "$(docker info --format '{{.CgroupDriver}} {{.CgroupVersion}}')" 'systemd 2'
set +e
echo to-in | docker run --rm -i --runtime kata box sh -c 'cat; echo to-err >&2; exit 6' >/root/out 2>/root/err
is 'status of a run' $? 6
set -e
is 'streams' "$(cat /root/out)+$(cat /root/err)" 'to-in+to-err'
docker run --detach --runtime kata --name web --memory 128m --cpus 0.5 --pids-limit 100 --publish 8080:80 --volume /root/www:/www:ro \\
  box sh -c 'echo serves; exec httpd -f -p 80 -h /www' >/dev/null
id=$(docker inspect --format '{{.Id}}' web)
unit=docker-$id.scope
place=/sys/fs/cgroup/system.slice/$unit
limits() {
  is "systemd's memory" "$(systemctl show --property MemoryMax --value $unit)" "$1"
  is 'memory' "$(cat $place/memory.max)" "$1"
  is 'tasks' "$(cat $place/pids.max)" "$(systemctl show --property TasksMax --value $unit)"
  is 'quota' "$(cat $place/cpu.max)" '250000 100000'
}
# dockerd waits two seconds for a deletion, and says then that the container has ended.
without_scope() { [ "$(systemctl show --property LoadState --value $unit)" = not-found ]; }
served() { busybox wget -q -O /root/served http://127.0.0.1:8080/data; }
# same: the published port serves the file, from the time on at which the server in the container listens.
same() { await 120 served && is 'by the published port' "$(md5sum </root/served)" "$(md5sum </root/www/data)"; }
systemctl status --no-pager $unit >/root/status
grep -q qemu-system /root/status
limits ${memory(128)}
systemctl daemon-reload
limits ${memory(128)}
docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' web >/root/stats
grep -Eqx 'web [1-9][0-9]+ [0-9.]+MiB / 1.125GiB' /root/stats || { cat /root/stats; exit 1; }
same
is 'logs' "$(docker logs web)" serves
is 'profile that Docker asks for' "$(docker inspect --format '{{.AppArmorProfile}}' web)" docker-default
docker update --memory 256m --memory-swap 256m web >/dev/null
limits ${memory(256)}
systemctl daemon-reload
limits ${memory(256)}
set +e
docker exec web sh -c 'cat /sys/fs/cgroup/memory.max; exec dd if=/dev/zero of=/dev/null bs=400M count=1' >/root/limit 2>/dev/null
is 'status of an exec without memory' $? 137
set -e
is "the guest's memory" "$(cat /root/limit)" ${String(256 * MIB)}
is "processes that the host's kernel has ended" "$(grep '^oom_kill ' $place/memory.events)" 'oom_kill 0'
is 'a terminal' "$(on_terminal 'docker exec -it web stty size')" '33 44'
docker stop --time 1 web >/dev/null
is 'status' "$(docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' web)" 'exited 137'
await 60 without_scope
docker start web >/dev/null
limits ${memory(256)}
same
docker rm --force web >/dev/null
await 60 without_scope
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
