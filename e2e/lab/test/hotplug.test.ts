import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("a guest grows by update: a processor and memory are plugged in, and both are used", async () => {
  const output = await host().ok(`. lab
note
${bundle("grows", "exec sleep 1000", (spec) => {
  spec.mounts.push({ destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["mode=1777", "size=350m"] });
})}
look='grep -c ^processor /proc/cpuinfo; sed -n "s/MemTotal: *\\([0-9]*\\) kB/\\1/p" /proc/meminfo'
start grows
read -r -d '' processors before < <(kata exec grows sh -c "$look") || true
is processors "$processors" 1
kata update --memory 384m --cpu-quota 100000 --cpu-period 100000 grows
used='grep -c "^cpu1 " /proc/stat; cat /sys/fs/cgroup/memory.max; dd if=/dev/zero of=/dev/shm/x bs=1M count=340 2>/dev/null; wc -c </dev/shm/x'
read -r -d '' processors after second limit written < <(kata exec grows sh -c "$look; $used") || true
is 'processors after update' "$processors" 2
[ $((after - before)) -ge $((370 * 1024)) ] || { echo "memory grew from $before to $after KiB"; exit 1; }
is 'lines of the second processor' "$second" 1
is limit "$limit" $((384 * 1024 * 1024))
is 'written to memory' "$written" $((340 * 1024 * 1024))
kata delete --force grows
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
