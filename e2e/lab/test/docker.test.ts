import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("Docker with systemd's cgroups: a service with its limits, figures, status and port, and nothing left", async () => {
  const output = await host().ok(`. lab
${bundle("image", "true")}
kata-runtime kata-engine docker --write
systemctl start docker
is 'driver of cgroups' "$(docker info --format '{{.CgroupDriver}} {{.CgroupVersion}}')" 'systemd 2'
tar -C /root/image/rootfs -c . | docker import - busybox
note
serve='mkdir /w; echo served >/w/page; trap "exit 3" TERM; httpd -p 80 -h /w; echo up; while :; do sleep 1; done'
id=$(docker run --detach --runtime kata --name box --memory 64m --publish 8080:80 busybox sh -c "$serve")
unit=docker-$id.scope
up() { docker logs box | grep -q up; }
await 120 up
is 'by its port' "$(busybox wget -q -O - http://127.0.0.1:8080/page)" served
systemctl status --no-pager $unit | grep -q qemu-system
is 'figures' "$(docker stats --no-stream --format '{{.MemUsage}}' box | sed 's|.* / ||')" 1.062GiB
is 'status of exec' "$(status docker exec box sh -c 'exit 5')" 5
docker update --memory 128m --memory-swap 128m box
systemctl daemon-reload
is 'memory of the VM' "$(cat /sys/fs/cgroup/system.slice/$unit/memory.max)" ${String((128 + 512 + 512) * 2 ** 20)}
is 'memory of the container' "$(docker exec box cat /sys/fs/cgroup/memory.max)" ${String(128 * 2 ** 20)}
docker pause box
docker unpause box
docker stop box
is 'exit status' "$(docker inspect --format '{{.State.ExitCode}}' box)" 3
docker rm box
nothing_left
systemctl stop docker docker.socket
echo done`);
  expect(output).toMatch(/^done$/m);
});
