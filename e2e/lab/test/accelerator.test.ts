import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ hypervisor: 'accel = "auto"' });

/** The last line of `check`, which tells how guests are run. */
const CHECK = "kata-runtime check | tail -1";

it("auto chooses KVM for a guest that boots slowly, remembers it, and says so", async () => {
  expect(await host().ok(CHECK)).toContain("Guests run under kvm: a guest boots under KVM.");
  expect(await host().ok(CHECK)).toMatch(/under kvm: a guest boots under KVM \(found .*; --probe tries it anew\)/);
  expect(await host().ok("kata-runtime check --probe | tail -1")).toContain("under kvm: a guest boots under KVM.");
});

it("a container runs under KVM, with the host's processor, kvm-clock, and nothing that is for emulation", async () => {
  const output = await host().ok(`. lab
${bundle("kvm", "exec sleep 1000")}
start kvm
tr '\\0' ' ' </proc/$(pgrep -o qemu-system)/cmdline; echo
kata-runtime exec kvm cat /sys/devices/system/clocksource/clocksource0/current_clocksource /proc/cmdline /proc/cpuinfo
kata-runtime delete --force kvm`);
  expect(output).toContain("-accel kvm -cpu host,migratable=off ");
  expect(output).toMatch(/^kvm-clock$/m);
  expect(output).toMatch(/^flags\t+: .* hypervisor /m);
  expect(output).not.toMatch(/tsc_early_khz|noreplace-smp|agent\.jit=off|init_on_alloc|tb-size|-erms|la57|qboot/);
});

it("a guest that ran under KVM, chosen by name, counts more than what was found", async () => {
  const output = await host().ok(`. lab
sed -i 's/"accelerator":"kvm"/"accelerator":"tcg"/' /var/cache/kata-ts/accelerator.json
${CHECK}
sed 's/accel = "auto"/accel = "kvm"/' /etc/kata-ts/configuration.toml >/root/by-name.toml
${bundle("named", "uname -s")}
kata-runtime --config /root/by-name.toml run --bundle /root/named named
${CHECK}`);
  expect(output).toContain("Guests run under tcg");
  expect(output).toMatch(/^Linux$/m);
  expect(output).toContain("Guests run under kvm: a guest has run under KVM (found");
});

it("a guest that does not come up under KVM has it tried anew", async () => {
  const output = await host().ok(`. lab
sed 's/hypervisor.qemu]/&\\nkernel_params = "init=\\/nowhere rdinit=\\/nowhere"/' /etc/kata-ts/configuration.toml >/root/no-init.toml
${bundle("lost", "uname -s")}
if kata-runtime --config /root/no-init.toml run --bundle /root/lost lost; then echo 'it came up'; exit 1; fi
cat /var/cache/kata-ts/accelerator.json
kata-runtime list -q`);
  expect(output).toContain("the guest did not come up");
  expect(output).toMatch(/^\{\}$/m);
});
