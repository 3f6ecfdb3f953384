import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("a container's life: streams, exec, ps, statistics, pause, signals, status, and nothing left", async () => {
  const output = await host().ok(`. lab
note
${bundle("life", 'trap "exit 7" TERM; echo up; while :; do sleep 1; done')}
mkfifo /root/life.out
(set +e; kata run --bundle /root/life life >/root/life.out; echo $? >/root/life.status) &
exec 5</root/life.out
read -r -u 5 line || exit 1
is output "$line" up
is state "$(kata state life | grep -o running)" running
set +e; kata exec life sh -c 'echo to-out; echo to-err >&2; exit 42' >/root/out 2>/root/err; is status $? 42; set -e
is streams "$(cat /root/out)+$(cat /root/err)" to-out+to-err
dd if=/dev/urandom of=/root/data bs=1M count=32 status=none
is '32 MiB in and out' "$(kata exec life cat </root/data | md5sum)" "$(md5sum </root/data)"
kata ps life | grep -q 'sleep 1'
kata events --stats life | grep -q '"memory"'
kata pause life; is paused "$(kata state life | grep -o paused)" paused
kata resume life
kata kill life TERM
wait
is 'exit status' "$(cat /root/life.status)" 7
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
