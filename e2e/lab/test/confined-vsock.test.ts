import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ hypervisor: 'accel = "kvm"\nuse_vsock = true' });

/** The host's programs: one of them, socat, makes connections of vsock. */
function withPrograms(spec: LabSpec): void {
  spec.mounts.push({ destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"] });
}

it("kata-proxy is a user without files there, too; the guest serves its host alone, and ends with its proxy", async () => {
  const output = await host().ok(`. lab
note
${bundle("served", "exec sleep 1000", withPrograms)}
for each in lib lib64; do ln -s usr/$each /root/served/rootfs/$each; done
start served
processes=$(echo /run/kata-ts/vm/*/processes.json)
proxy=$(grep -o '"pid":[0-9]*' "$processes" | head -n 1 | cut -d: -f2)
tr '\\0' ' ' </proc/$proxy/cmdline | grep -q kata-proxy
user=$(sed -n 's/^Uid:\\t\\([0-9]*\\)\\t.*/\\1/p' /proc/$proxy/status)
[ "$user" -gt 1000 ] || { echo "kata-proxy is user $user"; exit 1; }
for task in /proc/$proxy/task/*; do
  is "the root directory of $task" "$(ls -A "$task/root/")" ''
  is "the users of $task" "$(sed -n 's/^[UG]id://p' "$task/status" | tr -s '\\t' '\\n' | sort -u | tr -d '\\n')" "$user"
done
is 'capabilities of its threads' "$(cat /proc/$proxy/task/*/status | sed -n 's/^CapEff:\\t//p' | sort | uniq | tr '\\n' ' ')" '0000000000000000 0000000000000020 '
qemu=$(pgrep -o qemu-system)
tr '\\0' ' ' </proc/$qemu/cmdline | grep -q 'vhostfd='
is "QEMU's descriptors of the device" "$(ls -l /proc/$qemu/fd | grep -c /dev/vhost-vsock)" 1
is "kata-proxy's" "$(ls -l /proc/$proxy/fd | grep -c /dev/vhost-vsock || true)" 0
cid=$(sed -n 's/.*vsock:\\/\\/\\([0-9]*\\):1024.*/\\1/p' "$processes")
# The first line of HTTP/2: what it is answered counts.
hello='PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'
[ "$(printf "$hello" | socat -t 120 - VSOCK-CONNECT:$cid:1024 | wc -c)" -gt 0 ] || { echo 'the host gets no answer'; exit 1; }
for each in 1 $cid; do
  answer=$(kata exec served sh -c "printf '$hello' | /usr/bin/socat -t 120 - VSOCK-CONNECT:$each:1024 2>/dev/null | wc -c")
  is "bytes for context id $each of the guest" "$answer" 0
done
kata logs served | grep -q 'a vsock connection from context id 1 was refused'
kill -KILL $proxy
await 120 eval 'kata state served | grep -q stopped'
kata delete served
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
