import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

const MIB = 1024 ** 2;

/** Marks a container as containerd's CRI plugin does. */
function inPod(spec: LabSpec, type: "sandbox" | "container"): void {
  spec.annotations = { "io.kubernetes.cri.container-type": type, "io.kubernetes.cri.sandbox-id": "pod" };
}

/** Joins the namespaces of the pod's first container, whose pid takes the place of the word PID. */
function asMember(spec: LabSpec): void {
  inPod(spec, "container");
  spec.linux.namespaces = [
    ...["pid", "mount"].map((type) => ({ type })),
    ...["net", "ipc", "uts"].map((name) => ({ type: name === "net" ? "network" : name, path: `/proc/PID/ns/${name}` })),
  ];
  spec.mounts.push({ destination: "/volume", type: "bind", source: "/root/volume", options: ["rbind", "rw"] });
}

it("a pod: one VM, a network and a volume in common, limits of each, an end in any order", async () => {
  const output = await host().ok(`. lab
note
mkdir /root/volume
${bundle("pod", "exec sleep 1000", (spec) => {
  inPod(spec, "sandbox");
})}
${bundle("server", "exec httpd -f -p 127.0.0.1:8080 -h /volume", (spec) => {
  asMember(spec);
  spec.hostname = "";
  spec.linux.resources = { memory: { limit: 64 * MIB }, pids: { limit: 50 } };
})}
${bundle("client", 'trap "exit 5" TERM; while :; do sleep 1; done', (spec) => {
  asMember(spec);
  spec.hostname = "";
})}
start pod
pid=$(kata state pod | sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p')
sed -i "s/PID/$pid/" /root/server/config.json /root/client/config.json
start server
start client
is 'VMs' "$(pgrep -c qemu-system)" 1
is 'host name' "$(kata exec client cat /proc/sys/kernel/hostname)" pod
is "the server's limits" "$(kata exec server cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max | tr '\\n' ' ')" '${String(64 * MIB)} 50 '
is "the client's limit" "$(kata exec client cat /sys/fs/cgroup/memory.max)" max
dd if=/dev/urandom of=/root/volume/data bs=1M count=8 status=none
is 'by loopback' "$(kata exec client sh -c 'wget -q -O - http://127.0.0.1:8080/data | md5sum')" "$(md5sum </root/volume/data)"
kata exec client sh -c 'echo "by the client" >/volume/note'
is 'in the volume' "$(kata exec server cat /volume/note)+$(cat /root/volume/note)" 'by the client+by the client'
is "the client's processes" "$(kata ps client | grep -c httpd || true)" 0
kata kill pod KILL
await 120 eval 'kata state pod | grep -q stopped'
kata delete pod
is 'without the first' "$(kata exec client echo alive)" alive
kata delete --force server
kata kill client TERM
await 120 eval 'kata state client | grep -q stopped'
is 'VMs until the last is deleted' "$(pgrep -c qemu-system)" 1
kata delete client
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
