import { expect, it } from "vitest";
import { useHost } from "../use-host.ts";

const host = useHost();

const MIB = 1024 ** 2;

/** The limit of a container of 128 MiB, with a guest of 512 MiB, and as much for QEMU and its helpers. */
const MEMORY = String((128 + 512 + 512) * MIB);

const PODMAN = `. lab
kata-runtime kata-engine podman --write
mkdir -p /root/image/bin /root/www
cp /bin/busybox /root/image/bin/
for each in cat echo head httpd md5sum sh sleep stty true wget; do ln -s busybox /root/image/bin/$each; done
tar -C /root/image -c . | podman import --change 'ENV PATH=/bin' - localhost/box >/dev/null
`;

it("podman with systemd's cgroups: streams, limits, statistics, a port, and a pod in one VM", async () => {
  const output = await host().ok(`${PODMAN}
note
is 'cgroups of podman' "$(podman info --format '{{.Host.CgroupManager}}')" systemd
dd if=/dev/urandom of=/root/data bs=1M count=32 status=none
set +e
podman --runtime kata run --rm -i --network none localhost/box sh -c 'cat; echo err >&2; exit 6' </root/data 2>/root/err | md5sum >/root/sum
status=\${PIPESTATUS[0]}
set -e
is 'status, error' "$status $(cat /root/err)" '6 err'
is '32 MiB through podman run' "$(cat /root/sum)" "$(md5sum </root/data)"
dd if=/dev/urandom of=/root/www/data bs=1M count=8 status=none
id=$(podman --runtime kata run --detach --name web --memory 128m --publish 8080:80 --volume /root/www:/www:ro localhost/box httpd -f -p 80 -h /www)
unit=libpod-$id.scope
is 'memory' "$(cat /sys/fs/cgroup/machine.slice/$unit/memory.max)" ${MEMORY}
systemctl daemon-reload
is 'memory after a reload' "$(cat /sys/fs/cgroup/machine.slice/$unit/memory.max) $(systemctl show --property MemoryMax --value $unit)" '${MEMORY} ${MEMORY}'
podman stats --no-stream --format '{{.Name}} {{.PIDs}}' web | grep -Eqx 'web [1-9][0-9]*'
is 'by the published port' "$(busybox wget -q -O - http://127.0.0.1:8080/data | md5sum)" "$(md5sum </root/www/data)"
set +e
podman exec web sh -c 'cat /sys/fs/cgroup/memory.max; exit 9' >/root/limit
is 'status of an exec' $? 9
set -e
is "the guest's memory" "$(cat /root/limit)" ${String(128 * MIB)}
podman stop --time 1 web >/dev/null
is status "$(podman inspect --format '{{.State.ExitCode}}' web)" 137
podman rm web >/dev/null
podman --runtime kata pod create --name pod --infra-image localhost/box --infra-command 'sleep 100000' >/dev/null
podman --runtime kata run --detach --pod pod --name server --volume /root/www:/www:ro localhost/box httpd -f -p 127.0.0.1:80 -h /www >/dev/null
podman --runtime kata run --rm --pod pod localhost/box sh -c 'wget -q -O - http://127.0.0.1/data | md5sum' >/root/sum
is 'in the pod' "$(cat /root/sum)" "$(md5sum </root/www/data)"
is VMs "$(pgrep -c qemu-system)" 1
podman pod rm --force --time 1 pod >/dev/null
systemctl stop machine.slice
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
