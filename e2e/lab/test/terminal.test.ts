import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

/**
 * Words for the shell. `open NAME COMMAND`: on a terminal of 31 rows and 97 columns, in the background. `keys NAME TEXT`: typed
 * there, by printf's rules. `shows NAME LINE`: waits until it has shown that line.
 */
const WORDS = `
open() {
  mkfifo /root/$1.keys
  : >/root/$1.shown
  (set +e; script -qefc "tty >/root/$1.tty; stty rows 31 cols 97; $2" /root/$1.shown </root/$1.keys >/dev/null; echo $? >/root/$1.status) &
  exec {fd}>/root/$1.keys
  eval "$1_keys=$fd"
}
keys() { local into=$1_keys; printf "$2" >&"\${!into}"; }
shows() {
  await 120 eval "tr -d '\\r' </root/$1.shown | grep -Eq '^$2\\$'" || { cat -v /root/$1.shown; exit 1; }
}
ended() { await 60 test -s /root/$1.status; is "status of $1" "$(cat /root/$1.status)" "$2"; }
`;

it("a terminal of a container and one of an exec: size, a new size, ^C, end of input, status", async () => {
  const output = await host().ok(`. lab
${WORDS}
note
${bundle("term", "exec sh -i", (spec) => {
  spec.process.terminal = true;
})}
open first 'exec kata-runtime run --bundle /root/term term'
keys first 'tty; stty size\\r'
shows first '31 97'
keys first "sh -c \\"trap 'stty size; exit' WINCH; echo u''p; while :; do sleep 0.1; done\\"\\r"
shows first up
stty -F "$(cat /root/first.tty)" rows 50 cols 132
shows first '50 132'
# ^C ends what runs, and not the shell.
keys first "sh -c \\"echo r''uns; exec sleep 1000\\"\\r"
shows first runs
keys first '\\003'
keys first 'echo status $?\\r'
shows first 'status 130'
open second 'exec kata-runtime exec --tty term sh -c "stty size; read line; stty size; echo got \\$line; exec cat"'
shows second '31 97'
stty -F "$(cat /root/second.tty)" rows 20 cols 60
keys second 'typed\\r'
shows second '20 60'
shows second 'got typed'
keys second '\\004'
ended second 0
keys first 'exit 5\\r'
ended first 5
wait
is 'containers' "$(kata list -q)" ''
nothing_left
echo done`);
  expect(output).toMatch(/^done$/m);
});
