import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

it("a terminal: its size, a new size, keys, what ^C ends, the status; and one of an exec", async () => {
  const output = await host().ok(`. lab
note
${bundle("screen", "", (spec) => {
  spec.process.terminal = true;
  spec.process.args = ["sh"];
})}
cat >/root/on-terminal <<'SCRIPT'
stty rows 31 cols 97
kata-runtime run --bundle /root/screen screen
echo $? >/root/screen.status
SCRIPT
mkfifo /root/keys
socat EXEC:'sh /root/on-terminal',pty,setsid,ctty,link=/root/tty STDIO </root/keys >/root/shown 2>&1 &
exec 6>/root/keys
press() { printf "$1" >&6; }
# shows LINE: waits until the terminal has shown it.
shows() { await 600 grep -aqx "$1"$'\\r' /root/shown || { tail -c 4096 /root/shown; exit 1; }; }
press 'stty size; echo st""arted\\r'
shows started
shows '31 97'
press 'sh -c "trap \\047stty size; exit\\047 WINCH; echo u\\047\\047p; while :; do sleep 0.1; done"\\r'
shows up
stty -F /root/tty rows 50 cols 132
shows '50 132'
press 'sh -c "echo sle\\047\\047eping; exec sleep 1000"\\r'
shows sleeping
press '\\003'
press 'echo status $?\\r'
shows 'status 130'
is 'the size of an exec' "$(script -qec 'stty rows 33 cols 44; kata-runtime exec --tty screen stty size' /dev/null </dev/null | tr -d '\\r')" '33 44'
press 'exit 7\\r'
wait
is status "$(cat /root/screen.status)" 7
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
