import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { RIGHT } from "../looked-at.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ more: "[factory]\nenable_template = true\nvm_cache_number = 1" });

it("a VM that waits is taken, with all of its processes and the host's time, and the next one is made", async () => {
  const output = await host().ok(`. lab
${RIGHT}
note
# waits: there is a VM other than the one that was taken, with the socket at which it is taken.
next=
waits() {
  for each in /run/kata-ts/vm/*/cached.json; do
    other=$(dirname "$each")
    [ "$other" = "$next" ] || ! [ -S "$other/take.sock" ] || return 0
  done
  return 1
}
kata factory init
waits
kata factory status | grep -q '1 of 1 wait'
next=$(dirname /run/kata-ts/vm/*/cached.json)
${bundle("taken", "exec sleep 1000")}
start taken
grep -q "$next" /run/kata-ts/containers/taken/kata.json
pids=$(grep -o '"pid":[0-9]*' "$next/processes.json" | cut -d: -f2 | sort -u)
is "cgroups of the VM's processes" "$(for pid in $pids; do cut -d: -f3 /proc/$pid/cgroup; done | sort -u)" /taken
right taken
rm /root/drawn
await 600 waits
kata delete --force taken
sed -i '/vm_cache_number/d' /etc/kata-ts/configuration.toml
kata factory destroy
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
