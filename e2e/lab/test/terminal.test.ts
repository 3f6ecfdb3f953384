import { expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { useHost } from "../use-host.ts";

const host = useHost();

/** Runs its arguments with a controlling terminal, and types when the other side is ready for it. */
const PERSON = `
import fcntl, os, struct, subprocess, sys

# A host has no module termios.
TIOCSCTTY, TIOCSWINSZ = 0x540E, 0x5414

master, slave = os.openpty()

def resize(rows, columns):
    fcntl.ioctl(master, TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

resize(33, 77)
seen = b""

def until(text):
    global seen
    while text not in seen:
        seen += os.read(master, 4096)
    seen = seen[seen.index(text) + len(text):]

child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                         preexec_fn=lambda: fcntl.ioctl(0, TIOCSCTTY, 0))
until(b"/dev/pts/0")
until(b"33 77")
until(b"ready")
resize(20, 50)
until(b"20 50")
os.write(master, b"a line\\r")
until(b"read a line")
os.write(master, b"\\x03")
until(b"interrupted")
print("status", child.wait())
`;

const TERMINAL = [
  "tty; stty size",
  'trap "stty size" WINCH; trap "echo interrupted; exit 9" INT',
  "echo ready; until read line; do :; done; echo read $line",
  "while :; do sleep 1; done",
].join("; ");

it("a terminal has the size of the host's and follows it, takes lines, and its keys are signals", async () => {
  const output = await host().ok(`. lab
note
${bundle("term", "exec sleep 1000")}
cat >/root/person <<'PERSON'
${PERSON}
PERSON
start term
timeout 300 python3 /root/person kata-runtime exec --tty term sh -c '${TERMINAL}'
kata delete --force term
nothing_left
echo done`);
  expect(output).toMatch(/^status 9$/m);
  expect(output).toMatch(/^done$/m);
});
