import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("podman: a service with its limit, status and port in a scope of systemd's, and nothing left", async () => {
  const output = await host().ok(`. lab
${bundle("image", "true")}
kata-runtime kata-engine podman --write
tar -C /root/image/rootfs -c . | podman import - busybox
# systemd keeps the slice that podman's containers are in.
systemctl start machine.slice
note
serve='mkdir /w; echo served >/w/page; trap "exit 3" TERM; httpd -p 80 -h /w; echo up; while :; do sleep 1; done'
id=$(podman --runtime kata run --detach --name box --memory 64m --publish 8080:80 busybox sh -c "$serve")
unit=libpod-$id.scope
up() { podman logs box | grep -q up; }
await 120 up
is 'by its port' "$(busybox wget -q -O - http://127.0.0.1:8080/page)" served
systemctl status --no-pager $unit | grep -q qemu-system
is 'memory of the VM' "$(cat /sys/fs/cgroup/machine.slice/$unit/memory.max)" ${String((64 + 512 + 512) * 2 ** 20)}
is 'memory of the container' "$(podman exec box cat /sys/fs/cgroup/memory.max)" ${String(64 * 2 ** 20)}
is 'status of exec' "$(status podman exec box sh -c 'exit 5')" 5
podman stop --time 30 box
is 'exit status' "$(podman inspect --format '{{.State.ExitCode}}' box)" 3
podman rm box
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
