import { expect, it } from "vitest";
import { bundle, type LabSpec } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

const MIB = 1024 ** 2;

function withoutPath(spec: LabSpec): void {
  delete spec.linux.cgroupsPath;
  spec.linux.resources = { memory: { limit: 64 * MIB }, pids: { limit: 20 } };
}

/** Run by a caller: makes the container, and tells what the caller's cgroup is then. */
const CALLER = `
set -e
own=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
echo "caller \${own##*/}"
kata-runtime run --detach --bundle /root/beside beside </dev/null >/root/start.log 2>&1 || { cat /root/start.log; exit 1; }
echo "caller is $(cat "$own/cgroup.type"), hands down '$(cat "$own/cgroup.subtree_control")', has $(find "$own" -mindepth 1 -type d | wc -l) below"
place=/sys/fs/cgroup$(cut -d: -f3 /proc/$(pgrep -o qemu-system)/cgroup)
[ "$(dirname "$place")" = "$(dirname "$own")" ] || echo "not beside the caller: $place"
echo "limits $(cat "$place/memory.max") $(cat "$place/pids.max")"
set +e
kata-runtime exec beside sh -c 'exit 4'
echo "status $?"
`;

it.each([
  [
    "a service",
    "systemd-run --quiet --wait --pipe --collect --unit=caller /bin/sh /root/caller",
    /^caller caller\.service$/m,
  ],
  ["a login", "su --login root --command 'sh /root/caller'", /^caller session-\w+\.scope$/m],
])("a container without a path that %s creates is beside it, limited, and leaves it as it was", async (_, how, own) => {
  const output = await host().ok(`. lab
note
${bundle("beside", "exec sleep 1000", withoutPath)}
cat >/root/caller <<'CALLER'
${CALLER}
CALLER
${how}
kata delete --force beside
rm -r /root/beside
logged_out() { [ -z "$(loginctl list-sessions --no-legend)" ]; }
await 60 logged_out
systemctl stop user@0.service user-runtime-dir@0.service 2>/dev/null || true
nothing_left
echo done`);
  expect(output).toMatch(own);
  expect(output).toContain("caller is domain, hands down '', has 0 below");
  // The container's limits, with a guest of 512 MiB and what QEMU and its helpers take.
  expect(output).toContain(`limits ${String((64 + 512 + 512) * MIB)} ${String(20 * 16 + 1024)}`);
  expect(output).not.toContain("not beside");
  expect(output).toMatch(/^status 4$/m);
  expect(output).toMatch(/^done$/m);
});
