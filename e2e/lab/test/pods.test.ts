import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { makePodNetwork } from "../pod-network.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

const MIB = 1024 ** 2;

/** A file of the namespaces of the pod's first container: its process is known when it runs. */
const FIRST_PROCESS = "PROCESS-OF-THE-POD";

const ANNOTATION = "io.kubernetes.cri";

function first(spec: LabSpec): void {
  spec.hostname = "podhost";
  spec.annotations = { [`${ANNOTATION}.container-type`]: "sandbox", [`${ANNOTATION}.sandbox-id`]: "pod" };
  spec.linux.cgroupsPath = "katapod.slice:cri:pod";
  const network = spec.linux.namespaces.find(({ type }) => type === "network");
  if (network !== undefined) network.path = "/run/netns/pod";
}

function member(id: string, memoryMiB: number): (spec: LabSpec) => void {
  return (spec) => {
    spec.annotations = { [`${ANNOTATION}.container-type`]: "container", [`${ANNOTATION}.sandbox-id`]: "pod" };
    spec.linux.cgroupsPath = `katapod.slice:cri:${id}`;
    delete spec.hostname;
    spec.linux.resources = { memory: { limit: memoryMiB * MIB } };
    spec.mounts.push({ destination: "/shared", type: "bind", source: "/root/shared", options: ["rbind"] });
    for (const entry of spec.linux.namespaces) {
      const file = { network: "net", ipc: "ipc", uts: "uts" }[entry.type];
      if (file !== undefined) entry.path = `/proc/${FIRST_PROCESS}/ns/${file}`;
    }
  };
}

it("a pod's containers are in one VM: network and volume shared, limits apart, ended in any order; its VM's end is the end of all", async () => {
  const output = await host().ok(`. lab
note
GLOBALS=--systemd-cgroup
${makePodNetwork}
mkdir /root/shared
${bundle("pod", "trap 'exit 3' TERM; while :; do sleep 1; done", first)}
${bundle("one", "echo from one >/shared/one; exec httpd -f -p 8080 -h /shared", member("one", 64))}
${bundle("two", "trap 'exit 7' TERM; while :; do sleep 1; done", member("two", 32))}
member() { sed -i "s/${FIRST_PROCESS}/$(kata state pod | sed -n 's/ *"pid": *\\([0-9]*\\).*/\\1/p')/" "/root/$1/config.json"; start "$1"; }
running() { kata state "$1" | grep -q '"running"'; }
stopped() { kata state "$1" | grep -q '"stopped"'; }
start pod
before=$(kata exec pod sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
member one
member two
is VMs "$(pgrep -c qemu-system)" 1
fetched() { kata exec two wget -q -O - http://127.0.0.1:8080/one >/root/fetched; }
await 60 fetched
is 'page' "$(cat /root/fetched)" 'from one'
is 'name and limit of two' "$(kata exec two sh -c 'cat /proc/sys/kernel/hostname; cat /sys/fs/cgroup/memory.max')" \\
  "podhost
${String(32 * MIB)}"
is 'limit of one' "$(kata exec one cat /sys/fs/cgroup/memory.max)" ${String(64 * MIB)}
after=$(kata exec pod sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
[ $((after - before)) -ge $((90 * 1024)) ] || { echo "memory grew from $before to $after KiB"; exit 1; }
# Each sees its own processes.
kata exec one sh -c 'cat /proc/[0-9]*/cmdline' | tr '\\0' ' ' >/root/seen
grep -q httpd /root/seen
is 'what one sees of the others' "$(grep -c trap /root/seen || true)" 0
# The volume is one directory for all of them, and the host.
is 'written by one' "$(cat /root/shared/one)" 'from one'
kata exec two sh -c 'echo from two >/shared/two'
is 'seen by one' "$(kata exec one cat /shared/two)" 'from two'
scopes() { systemctl list-units --plain --no-legend --type=scope 'cri-*' | cut -d' ' -f1 | tr '\\n' ' '; }
is scopes "$(scopes)" 'cri-one.scope cri-pod.scope cri-two.scope '
systemctl daemon-reload
is 'where QEMU is' "$(sed s/0::// /proc/$(pgrep -o qemu-system)/cgroup)" /katapod.slice/cri-pod.scope
kata events --stats two | grep -q '"limit":${String(32 * MIB)}'
kata pause two
is 'one, while two is paused' "$(kata exec one echo goes on)" 'goes on'
kata resume two
kata kill pod TERM
await 60 stopped pod
kata delete pod
running one
is 'two, without the first' "$(kata exec two wget -q -O - http://127.0.0.1:8080/one)" 'from one'
kata kill two TERM
await 60 stopped two
kata delete two
running one
kill -KILL "$(pgrep -o qemu-system)"
await 60 stopped one
kata delete one
is 'in the slice' "$(find /sys/fs/cgroup/katapod.slice -mindepth 1 -type d)" ''
systemctl stop katapod.slice
ip netns del pod
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
