import { expect, it } from "vitest";
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
mkdir -p /root/image/bin /root/www
cp /bin/busybox /root/image/bin/
for each in cat echo head httpd md5sum sh sleep stty; do ln -s busybox /root/image/bin/$each; done
tar -C /root/image -c . | docker import -c 'ENV PATH=/bin' - box >/dev/null
note
`;

it("docker run with systemd's cgroups: streams, limits that outlast a reload, statistics, a published port, update", async () => {
  const output = await host().ok(`${DOCKER}
is 'cgroups of dockerd' "$(docker info --format '{{.CgroupDriver}} {{.CgroupVersion}}')" 'systemd 2'
dd if=/dev/urandom of=/root/data bs=1M count=32 status=none
set +e
docker run --rm -i --runtime kata box sh -c 'cat; echo err >&2; exit 6' </root/data 2>/root/err | md5sum >/root/sum
status=\${PIPESTATUS[0]}
set -e
is 'status, error' "$status $(cat /root/err)" '6 err'
is '32 MiB through docker run' "$(cat /root/sum)" "$(md5sum </root/data)"
dd if=/dev/urandom of=/root/www/data bs=1M count=8 status=none
docker run --detach --runtime kata --name web --memory 128m --cpus 0.5 --pids-limit 100 --publish 8080:80 --volume /root/www:/www:ro \\
  box httpd -f -p 80 -h /www >/dev/null
id=$(docker inspect --format '{{.Id}}' web)
unit=docker-$id.scope
place=/sys/fs/cgroup/system.slice/$unit
limits() {
  is "systemd's memory" "$(systemctl show --property MemoryMax --value $unit)" "$1"
  is 'memory' "$(cat $place/memory.max)" "$1"
}
systemctl status --no-pager $unit >/root/status
grep -q qemu-system /root/status
limits ${memory(128)}
systemctl daemon-reload
limits ${memory(128)}
docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' web >/root/stats
grep -Eqx 'web [1-9][0-9]+ [0-9.]+MiB / 1.125GiB' /root/stats || { cat /root/stats; exit 1; }
is 'by the published port' "$(busybox wget -q -O - http://127.0.0.1:8080/data | md5sum)" "$(md5sum </root/www/data)"
docker update --memory 256m --memory-swap 256m web >/dev/null
limits ${memory(256)}
systemctl daemon-reload
limits ${memory(256)}
set +e
docker exec web sh -c 'cat /sys/fs/cgroup/memory.max; exit 9' >/root/limit
is 'status of an exec' $? 9
set -e
is "the guest's memory" "$(cat /root/limit)" ${String(256 * MIB)}
is 'a terminal' "$(script -qec 'stty rows 33 cols 44; docker exec -it web sh -c "stty size"' /dev/null </dev/null | tr -d '\\r')" '33 44'
docker stop --time 1 web >/dev/null
is 'status' "$(docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' web)" 'exited 137'
docker start web >/dev/null
is 'by the port, started again' "$(busybox wget -q -O - http://127.0.0.1:8080/data | md5sum)" "$(md5sum </root/www/data)"
docker rm --force web >/dev/null
is loaded "$(systemctl show --property LoadState --value $unit)" not-found
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
