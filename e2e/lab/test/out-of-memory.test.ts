import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

const MIB = 1024 ** 2;

function limited(spec: LabSpec): void {
  spec.linux.resources = { memory: { limit: 64 * MIB, swap: 64 * MIB } };
}

it("the guest ends what is above its container's limit, the host ends a VM above its cgroup's; both are said", async () => {
  const output = await host().ok(`. lab
note
${bundle("hog", "exec sleep 1000", limited)}
start hog
kata events hog >>/root/events &
set +e
kata exec hog sh -c 'exec dd if=/dev/zero of=/dev/null bs=200M count=1' 2>/dev/null
is 'status of what the guest ended' $? 137
set -e
oom() { grep -q '^{"type":"oom","id":"hog"}$' /root/events; }
await 120 oom
is 'the container' "$(kata exec hog echo goes on)" 'goes on'
: >/root/events
# What the VM has in use, and not for files: when its guest takes more, nothing can be taken from it but its life.
place=/sys/fs/cgroup/hog
echo $(($(sed -n 's/^anon //p' $place/memory.stat) + $(sed -n 's/^shmem //p' $place/memory.stat))) >$place/memory.max
(kata exec hog sh -c 'exec dd if=/dev/zero of=/dev/null bs=50M count=1' >/dev/null 2>&1 || true) &
await 120 eval 'kata state hog | grep -q stopped'
kata delete hog 2>/root/deleted
grep -q "the host's kernel has ended the VM: the limit of memory of its cgroup was reached" /root/deleted || { cat /root/deleted; exit 1; }
wait
oom
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
