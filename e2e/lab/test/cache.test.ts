import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ more: "[factory]\nvm_cache_number = 1" });

it("a VM that has waited is taken with the right time and the container's cgroup; another one takes its place", async () => {
  const output = await host().ok(`. lab
note
${bundle("taken", "exec sleep 1000")}
kata factory init
waits() { kata factory status | grep -q 'vm cache: 1 of 1 wait'; }
waits
waiting=$(dirname /run/kata-ts/vm/*/cached.json)
start taken
grep -q "$waiting" /run/kata-ts/containers/taken/kata.json
[ ! -e $waiting/cached.json ]
for pid in $(pgrep -f "$waiting"); do grep -q '^0::/taken' /proc/$pid/cgroup || { echo "$pid is in $(cat /proc/$pid/cgroup)"; exit 1; }; done
earliest=$(date +%s)
now=$(kata exec taken date +%s)
[ "$now" -ge "$earliest" ] && [ "$now" -le "$(date +%s)" ] || { echo "$now is not the host's time"; exit 1; }
is 'status of exec' "$(status kata exec taken sh -c 'exit 5')" 5
await 300 waits
kata delete --force taken
kata factory destroy
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
