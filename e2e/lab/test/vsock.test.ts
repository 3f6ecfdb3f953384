import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost({ hypervisor: 'accel = "kvm"\nuse_vsock = true' });

it("guests are reached by the kernel's vsock: streams, statuses, several at once, time, and a context id of each", async () => {
  const output = await host().ok(`. lab
note
${bundle("served", 'trap "exit 7" TERM; while :; do sleep 1; done')}
${bundle("beside", "cat; cat /sys/class/virtio-ports/*/name; echo err >&2; exit 6")}
start served
mkfifo /root/in
(set +e; kata run --bundle /root/beside beside </root/in >/root/out 2>/root/err; echo $? >/root/beside.status) &
exec 6>/root/in
echo in >&6
await 600 grep -qx in /root/out
is 'context ids' "$(grep -ho 'vsock://[0-9]*:1024' /run/kata-ts/vm/*/processes.json | sort -u | wc -l)" 2
exec 6>&-
wait
is 'status, and no serial port' "$(cat /root/beside.status) $(cat /root/out)" '6 in'
grep -qx err /root/err
kata delete --force beside 2>/dev/null || true
dd if=/dev/urandom of=/root/data bs=1M count=32 status=none
is '32 MiB in and out' "$(kata exec served cat </root/data | md5sum)" "$(md5sum </root/data)"
for each in 1 2 3 4 5; do kata exec served echo "line $each" >/root/line.$each & done
wait
is 'five at once' "$(cat /root/line.*)" "$(printf 'line %s\\n' 1 2 3 4 5)"
earliest=$(date +%s)
now=$(kata exec served date +%s)
[ "$now" -ge "$earliest" ] && [ "$now" -le "$(date +%s)" ] || { echo "$now is not from $earliest on"; exit 1; }
kata kill served TERM
await 120 eval 'kata state served | grep -q stopped'
kata delete served
nothing_left
rm -r /root/served /root/beside
echo done`);
  expect(output).toMatch(/^done$/m);
});
