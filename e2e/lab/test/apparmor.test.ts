import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("a host's AppArmor profile leads to no failure, is warned about by name, and is not the guest's", async () => {
  const output = await host().ok(`. lab
is 'AppArmor' "$(cat /sys/module/apparmor/parameters/enabled)" Y
note
printf '#include <tunables/global>\\nprofile lab-profile flags=(attach_disconnected) { #include <abstractions/base>\\n deny /tmp/** rw, }\\n' >/root/lab-profile
apparmor_parser --replace /root/lab-profile
grep -qx 'lab-profile (enforce)' /sys/kernel/security/apparmor/profiles
${bundle("profile", "exec sleep 1000", (spec) => {
  spec.process.apparmorProfile = "lab-profile";
})}
GLOBALS='--log /root/kata.log'
start profile
is 'warnings of a start' "$(grep -c 'process.apparmorProfile .*lab-profile.* is not applied: the guest has no such profile' /root/kata.log)" 1
is 'written in the guest' "$(kata exec profile sh -c 'mkdir -p /tmp; echo x >/tmp/x; cat /tmp/x')" x
for exec in 1 2; do kata exec --apparmor another profile sh -c :; done
is 'warnings about the one of an exec' "$(grep -c 'another.* is not applied: the guest has no such profile' /root/kata.log)" 1
is 'in its features' "$(kata features | tr -d ' \\n' | grep -o '"apparmor":{"enabled":[a-z]*}')" '"apparmor":{"enabled":false}'
kata delete --force profile
apparmor_parser --remove /root/lab-profile
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
